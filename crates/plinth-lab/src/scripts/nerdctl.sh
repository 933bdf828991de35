#!/bin/sh
# A stand-in for nerdctl, which no registry of packages has. Where containerd was not told of a mirror of a registry, images come as archives.
set -eu
space=default
while :; do
    case "${1:-}" in
    -n | --namespace) space=$2 && shift 2 ;;
    -*) shift ;;
    *) break ;;
    esac
done
# Names as the real one shows them: Docker's own registry is left out.
list() { ctr -n "$space" images ls -q | grep -v -e '@sha256:' -e '^sha256:' | sed -e 's,^docker\.io/library/,,' -e 's,^docker\.io/,,'; }
case "${1:-} ${2:-}" in
"images "*) list || true ;;
"pull "*)
    shift
    while [ "${1#-}" != "$1" ]; do shift; done
    if [ -e "/etc/containerd/certs.d/${1%%/*}/hosts.toml" ]; then
        ctr -n "$space" images pull --hosts-dir /etc/containerd/certs.d "$1" > /dev/null
        exit 0
    fi
    archive=$(mktemp /tmp/image.XXXXXX)
    trap 'rm -f "$archive"' EXIT
    curl -fsS --max-time 300 -o "$archive" "$(cat /etc/lab-mirror)/images/$(printf %s "$1" | tr '/:' '__').tar"
    ctr -n "$space" images import "$archive" > /dev/null
    ;;
"completion "*) ;;
"version "* | " "*) echo "nerdctl: a stand-in of the lab" ;;
*)
    echo "nerdctl: the stand-in does not know: $*" >&2
    exit 64
    ;;
esac
