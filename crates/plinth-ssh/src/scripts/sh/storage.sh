# Where containerd's data is. Parameters: root from to state action. `state` is a directory on the node; with `root` before it.
#
# A move goes through stages, and the stage that was reached is in $state/storage, written before the next one is begun:
#   stopping   services are being stopped; a drop-in keeps containerd from starting, also after a restart of the machine
#   copying    the copy is being made beside the target
#   verified   copy and original are the same
#   switching  the copy takes the name of the target, the original becomes $from.plinth-old, a link takes its place
#   starting   the guard is gone, services are being started
#   done       images are the same as before
#   undoing    the copy could not be made or differs: it is being removed, and containerd started where it was
# Until `switching` the original is untouched under its own name; afterwards it is whole under the other one.
#
# Why a link, not a bind mount or `root` in config.toml: the link is one name, switched atomically; it needs no line in fstab, which
# BCM rewrites; it holds for every containerd and every config.toml, also the one that Kubespray writes later, whose directory
# tasks follow links; overlayfs resolves it before it mounts. When the larger partition is not mounted the link leads nowhere
# and containerd does not start, instead of beginning with nothing; RequiresMountsFor makes it wait for the mount.
old=$root$from.plinth-old
part=$root$to.plinth-part
dropin=$root/etc/systemd/system/containerd.service.d/plinth-storage.conf
state=$root$state
moving=$state/storage.moving
# Sets stage, services, begun_from and begun_to to what the state file says; empty without one. One that is there and cannot be read
# is no beginning.
read_state() {
    stage='' services='' begun_from='' begun_to=''
    [ -e "$state/storage" ] || return 0
    while IFS='=' read -r state_key state_value; do
        case $state_key in
            stage) stage=$state_value ;;
            services) services=$state_value ;;
            from) begun_from=$state_value ;;
            to) begun_to=$state_value ;;
        esac
    done <"$state/storage"
    [ -n "$stage" ] || fail "the state file $state/storage cannot be read: it names no stage"
}
# flushed PATH: the whole file system of PATH is on the disk; others are not waited for.
flushed() {
    sync -f "$1" 2>/dev/null || sync
}
# set_stage STAGE: durable before it returns.
set_stage() {
    content="stage=$1
from=$from
to=$to
services=$services
"
    put "$state/storage" 0600 '' || fail "the state of the move cannot be written to $state/storage"
    stage=$1
    emit stage "$stage"
}
# stopped: containerd should run and does not.
stopped() {
    loaded containerd.service && ! active containerd.service && enabled containerd.service
}
is_linked() {
    [ -L "$root$from" ] && [ "$(readlink "$root$from")" = "$root$to" ]
}
is_empty() {
    [ -z "$(ls -A "$1" 2>/dev/null)" ]
}
# configured: containerd was told to keep its data at the target, by an engine's storage variable.
configured() {
    grep -Eqs "^[[:space:]]*root[[:space:]]*=[[:space:]]*[\"']$to/?[\"']" "$root/etc/containerd/config.toml"
}
kib() {
    du -skx "$1" 2>/dev/null | cut -f 1
}
look() {
    read_state
    emit stage "$stage"
    emit from "$begun_from"
    emit to "$begun_to"
    if is_linked || configured; then emit linked yes; elif [ -L "$root$from" ]; then emit elsewhere "$(readlink "$root$from")"; fi
    if [ -d "$old" ]; then emit old_kib "$(kib "$old")"; fi
    if stopped; then emit stopped yes; fi
    return 0
}
