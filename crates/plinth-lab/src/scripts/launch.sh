# Runs as a process of its own for as long as the node exists (sh -eu). The settings stand before.
# Everything from here on belongs to the node's control groups and ends with them.
for group in $GROUPS_OF_NODE; do
    echo $$ > "$group/cgroup.procs"
done
# The second life of this script stands in its own mount namespace: no mount of the node is ever seen by the machine.
if [ "${LAB_LIFE:-1}" = 1 ]; then
    LAB_LIFE=2 exec unshare --mount --propagation slave /bin/sh -eu "$0"
fi

MERGED=$FOLDER/merged
mount -t overlay -o "lowerdir=$ROOT,upperdir=$FOLDER/upper,workdir=$FOLDER/work" "plinth-lab-$NAME" "$MERGED"
if [ ! -e "$FOLDER/is-set-up" ]; then
    chroot "$MERGED" /bin/sh -eu -c "$(cat "$FOLDER/setup.sh")" < "$FOLDER/accounts"
fi

set --
for disk in $DISKS; do
    at=${disk%:*}
    image=$FOLDER/disks/$(printf %s "$at" | tr / _)
    if [ ! -e "$image" ]; then
        mkdir -p "$MERGED$at"
        truncate -s "${disk##*:}M" "$image.new"
        mkfs.ext4 -q -m 0 -d "$MERGED$at" "$image.new"
        mv "$image.new" "$image"
    fi
    mkdir -p "$image.mounted"
    mount -o loop "$image" "$image.mounted"
    set -- "$@" "--bind=$image.mounted:$at"
done
for place in $PLAIN; do
    own=$FOLDER/plain$place
    if [ ! -e "$own" ]; then
        mkdir -p "$MERGED$place" "$own"
    fi
    set -- "$@" "--bind=$own:$place"
done
touch "$FOLDER/is-set-up"

# The namespace outlives the node: what the life before left in it goes.
network() {
    for link in $(ip -n "$NAMESPACE" -o link | cut -d ' ' -f 2 | cut -d : -f 1 | cut -d @ -f 1); do
        case "$link" in lo | host0) ;; *) ip -n "$NAMESPACE" link del "$link" 2>/dev/null || true ;; esac
    done
    nsenter --net="/run/netns/$NAMESPACE" chroot "$MERGED" nft flush ruleset 2>/dev/null || true
    # A namespace that never had a route has no table to flush.
    ip -n "$NAMESPACE" route flush table main 2>/dev/null || true
    ip -n "$NAMESPACE" addr flush dev host0
    ip -n "$NAMESPACE" link set lo up
    ip -n "$NAMESPACE" addr add "$ADDRESS" dev host0
    ip -n "$NAMESPACE" link set host0 up
    ip -n "$NAMESPACE" route replace default via "$GATEWAY"
    # Pods of other nodes. By way of the gateway it would work as well, but errors would get lost.
    for route in $ROUTES; do
        ip -n "$NAMESPACE" route replace "${route%=*}" via "${route#*=}"
    done
}

export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=$UNIFIED SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_SECCOMP=0
while :; do
    network
    end=0
    # 133: the node wants to be rebooted. Anything else: it is off.
    systemd-nspawn --quiet -D "$MERGED" --boot --register=no --keep-unit --network-namespace-path="/run/netns/$NAMESPACE" \
        --machine="$NAME" --hostname="$HOST" --capability=all --resolv-conf=off --timezone=off --console=read-only \
        --link-journal=no --bind=/dev/kmsg "$@" || end=$?
    [ "$end" = 133 ] || exit "$end"
done
