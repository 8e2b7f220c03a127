# shellcheck shell=bash disable=SC2154
# Sourced by scripts/check: the checkers of static/, which npm installs. Needs `root`, the checkout,
# and `say`.
#
#   ensure_npm_packages
#
# installs what package-lock.json names into node_modules, once: a stamp in it remembers what was
# installed. Where there is no npm, or no registry for it, it says so and fails: whoever changes
# Python alone needs neither.

ensure_npm_packages() {
  local stamp=$root/node_modules/.installed wanted
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say "static/: NOT CHECKED, for there is no npm here." \
      "Install it (on Debian and Ubuntu: apt-get install nodejs npm)."
    return 1
  fi
  wanted=$(cat "$root/package.json" "$root/package-lock.json" | cksum)
  # Two checks at once wait for each other, as in scripts/environment.sh.
  exec 8<"$root/package-lock.json"
  if command -v flock >/dev/null; then
    flock 8
  fi
  if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
    say "Installing the checkers of static/; this happens once"
    if ! npm ci --prefix "$root" --ignore-scripts --no-audit --no-fund --silent </dev/null >&2; then
      say "static/: NOT CHECKED, for npm could not install its checkers; the lines above say why." \
        "They come from an npm registry ('npm config get registry')."
      return 1
    fi
    printf '%s\n' "$wanted" >"$stamp"
  fi
  exec 8>&-
}
