# shellcheck shell=bash disable=SC2154
# Sourced by scripts/test: what tests need of Debian. Needs `root`, the checkout, and `say`.
#
#   ensure_debian_packages [PATH...]
#
# sees to what the tests in these folders or files need (without any: what all need), as
# scripts/needs.txt lists it. As root it installs what this machine lacks and says so before;
# otherwise it names the packages and fails.

# Prints the packages that are missing for the tests in these paths, each once.
missing_debian_packages() {
  local tests package brings path known=" "
  while read -r tests package brings; do
    [[ $tests && $tests != \#* ]] || continue
    for path in "${@:-tests}"; do
      path=${path%%::*}
      path=${path%/}
      # One lies in the other.
      [[ $tests/ == "$path"/* || $path/ == "$tests"/* ]] || continue
      [[ $known != *" $package "* ]] || continue
      known+="$package "
      [[ -e $brings ]] || command -v "$brings" >/dev/null || printf '%s\n' "$package"
    done
  done <"$root/scripts/needs.txt"
}

ensure_debian_packages() {
  local listed missing=() package failed=()
  listed=$(missing_debian_packages "$@")
  [[ $listed ]] || return 0
  mapfile -t missing <<<"$listed"
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    say "These tests need ${missing[*]}. Install them first: sudo apt-get install ${missing[*]}"
    return 1
  fi
  say "Installing Debian packages that these tests need: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=600)
  "${apt[@]}" update </dev/null >&2 || say "apt-get update failed; trying with the lists of before."
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >&2 && return
  # One that conflicts with what is here must not take the others with it.
  for package in "${missing[@]}"; do
    say "Installing $package alone"
    "${apt[@]}" install -y --no-install-recommends "$package" </dev/null >&2 || failed+=("$package")
  done
  if ((${#failed[@]})); then
    say "Installing ${failed[*]} failed; the lines above say why."
    return 1
  fi
}
