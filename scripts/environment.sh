# shellcheck shell=bash disable=SC2154
# Sourced by the scripts beside it: makes an environment and keeps it up to date. Needs `root`, the
# checkout.
#
#   ensure_environment FOLDER NAME [EXTRA...]
#
# installs the package with these extras into the virtual environment FOLDER, once: a stamp in it
# remembers what was installed, so a later call costs a few milliseconds until pyproject.toml or a
# list in scripts/ change.

say() {
  printf '%s\n' "$*" >&2
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      if ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        say "$candidate cannot make virtual environments." \
          "Install its venv module (on Debian and Ubuntu: apt-get install python3-venv)."
        return 1
      fi
      printf '%s\n' "$candidate"
      return
    fi
  done
  say "rtc-server needs Python 3.11 or newer, and there is none here." \
    "Install it (on Debian and Ubuntu: apt-get install python3.11 python3.11-venv)," \
    "or name one: PYTHON=/path/to/python3.11 $0"
  return 1
}

pip_install() {
  "$venv/bin/python" -m pip --disable-pip-version-check --no-input install --quiet "$@" \
    </dev/null && return
  say "Installing failed; the lines above say why. rtc-server needs a Python package registry" \
    "(PyPI or a mirror, see 'pip config') for its first start."
  return 1
}

ensure_environment() {
  local venv=$root/$1 name=$2 extras python stamp wanted
  shift 2
  extras=$(IFS=, && printf '%s' "$*")
  stamp="$venv/.installed-$name"
  wanted=$(printf '%s\n' "$root" "$extras" && cat "$root"/pyproject.toml "$root"/scripts/*.txt)
  wanted=$(printf '%s' "$wanted" | cksum)
  # The lock lets two first starts at once wait for each other instead of mixing their files.
  exec 9<"$root/pyproject.toml"
  if command -v flock >/dev/null; then
    flock 9
  fi
  if ! "$venv/bin/python" -c '' 2>/dev/null; then
    python=$(find_python) || return 1
    say "Making ${venv##*/} with $python"
    if ! "$python" -m venv --clear "$venv" >&2; then
      say "Could not make $venv; the lines above say why."
      return 1
    fi
  fi
  if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
    say "Installing rtc-server${extras:+ with $extras}; this happens once and may take minutes"
    pip_install -c "$root/scripts/constraints.txt" -e "$root${extras:+[$extras]}" || return 1
    printf '%s\n' "$wanted" >"$stamp"
  fi
  exec 9>&-
}

# Prints how long the script has run, as NAME; meant for its exit.
say_time() {
  say "$1: $((SECONDS / 60)) min $((SECONDS % 60)) s"
}
