#!/usr/bin/env bash
# Installs the Debian packages that are missing; instant when all are there. docs/dependencies.md gives the reasons.
#   scripts/install-deps.sh [build] [browser] [bench] [lint]      default: build (which includes the tests)
# AGRO_SKIP_DEPS=1 skips it, for machines that have the libraries from elsewhere.
set -euo pipefail
[ "${AGRO_SKIP_DEPS:-0}" = 1 ] && exit 0

build=(
  g++ cmake ninja-build make git ca-certificates ccache mold
  libtorch-dev libopenblas0-openmp libdnnl-dev libhwy-dev
  libpcre2-dev libutf8proc-dev libflint-dev libflint-arb-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libspdlog-dev libfmt-dev
  libcpp-httplib-dev libjs-chart.js libjs-katex fonts-katex
  libgtest-dev libgmock-dev protobuf-compiler python3 python3-crc32c
)
browser=(chromium)
bench=(libbenchmark-dev)
lint=(clang-format clang-tidy)

[ $# -gt 0 ] || set -- build
wanted=()
for group in "$@"; do
  case $group in
    build) wanted+=("${build[@]}") ;;
    browser) wanted+=("${browser[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    lint) wanted+=("${lint[@]}") ;;
    *) echo "install-deps: unknown group '$group': expected build, browser, bench or lint" >&2; exit 2 ;;
  esac
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  {
    echo "install-deps: this system has no apt. These Debian 12 packages, or their like, are needed:"
    printf '  %s\n' "${wanted[@]}"
    echo "Install them, then set AGRO_SKIP_DEPS=1."
  } >&2
  exit 1
fi

present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qxF -- "$package" <<<"$present" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=(env DEBIAN_FRONTEND=noninteractive)
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps: neither root nor sudo. As root, run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo "${as_root[@]}")
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    echo "install-deps: 'apt-get $*' failed" >&2
    exit 1
  }
}

echo "install-deps: reading the package lists"
quietly update
echo "install-deps: installing ${missing[*]}"
quietly install -y --no-install-recommends "${missing[@]}"
