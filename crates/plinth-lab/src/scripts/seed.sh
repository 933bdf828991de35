# Runs in a node (sh -eu). Makes a docker archive of two layers with random content and imports it.
cd "$(mktemp -d /local/seed.XXXXXX)"
here=$PWD
mkdir -p first/data first/bin second/data
# Blob and snapshot take the content twice: half of it each.
n=0
while [ "$n" -lt 8 ]; do
    head -c "$((MIB * 1024 * 1024 / 16))" /dev/urandom > "first/data/part-$n"
    n=$((n + 1))
done
ln first/data/part-0 first/data/same-as-part-0
ln -s part-1 first/data/points-to-part-1
truncate -s 1M first/data/hole
printf 'x' > first/bin/setuid
chmod 4755 first/bin/setuid
chown 12345:54321 first/data/part-2
printf 'deleted later' > first/data/victim
: > second/data/.wh.victim
printf 'two words' > 'second/data/a name with blanks'
tar --numeric-owner -C first -cf first.tar .
tar --numeric-owner -C second -cf second.tar .
sum() { sha256sum "$1" | cut -d ' ' -f 1; }
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]}}' \
    "$(sum first.tar)" "$(sum second.tar)" > config.json
printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["first.tar","second.tar"]}]' "$IMAGE" > manifest.json
tar -cf image.tar manifest.json config.json first.tar second.tar
# containerd may still be starting.
n=0
until ctr -n k8s.io version > /dev/null 2>&1; do
    n=$((n + 1))
    [ "$n" -lt 300 ]
    sleep 0.1
done
ctr -n k8s.io images import image.tar
# A container's own snapshot on top, as of one that was made and not started.
ctr -n k8s.io containers create "$IMAGE" seed /bin/setuid
cd /
rm -rf "$here"
