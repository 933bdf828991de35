begin() {
    refuse_paths
    refuse_target
    refuse_running
    refuse_mounts
    list_services
    rm -f "$state/images.before"
    case $services in
        *containerd.service*)
            if has ctr; then
                images "$state/images.new" || fail "containerd does not list its images; nothing was changed"
                mv -f "$state/images.new" "$state/images.before"
            fi
            ;;
    esac
    set_stage stopping
}
# A machine that started again has started its other services; those that were active first are still remembered.
stop_all() {
    : >"$moving" && durable "$moving" && guard || fail "the guard of containerd cannot be written"
    stop_services
    if [ ! -d "$root$from" ]; then mkdir -p "$(dirname "$root$from")" && mkdir -m 0711 "$root$from" || fail "$from cannot be made"; fi
    flushed "$root$from"
    : >"$moving"
    set_stage copying
}
copy_all() {
    stop_services
    copy || roll_back "$from could not be copied to $to"
    flushed "$part"
    if ! same_trees; then
        rm -rf "$part"
        copy || roll_back "$from could not be copied to $to"
        flushed "$part"
        same_trees || roll_back "the copy of $from differs from it"
    fi
    set_stage verified
}
# Something started containerd against the guard: what it changed must be copied.
confirm() {
    if active containerd.service; then set_stage copying; else set_stage switching; fi
}
# Each rename is made if it was not: an interrupted switch ends the same.
switch() {
    if [ -d "$part" ]; then
        [ ! -d "$root$to" ] || rmdir "$root$to" || fail "$to has been filled since the move began; move it away"
        mv -T "$part" "$root$to" || fail "the copy cannot be renamed to $to"
        durable "$(dirname "$root$to")"
    fi
    if [ ! -L "$root$from" ] && [ -d "$root$from" ]; then
        if [ -d "$old" ]; then
            rmdir "$root$from" || fail "something made a new $from during the move; move it away"
        else
            mv -T "$root$from" "$old" || fail "$from cannot be renamed"
        fi
    fi
    if ! is_linked; then
        rm -f "$root$from.plinth-link"
        ln -s "$root$to" "$root$from.plinth-link" && mv -T "$root$from.plinth-link" "$root$from" || fail "the link $from cannot be made"
    fi
    durable "$(dirname "$root$from")"
    set_stage starting
}
start_all() {
    is_linked || fail "$from is no longer the link to $to"
    rm -f "$moving"
    durable "$state"
    reload
    start_services "$to"
    case $services in
        *containerd.service*)
            await_containerd
            if [ -e "$state/images.before" ]; then same_images; fi
            ;;
    esac
    rmdir "$old" 2>/dev/null
    set_stage 'done'
}
await_containerd() {
    tries=0
    until active containerd.service && { ! has ctr || ctr version >/dev/null 2>&1; }; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || fail "containerd does not run from $to; the old copy is $from.plinth-old"
        sleep 1
    done
}
same_images() {
    images "$state/images.after" || fail "containerd does not list its images; the old copy is $from.plinth-old"
    lost=$(comm -23 "$state/images.before" "$state/images.after" | head -n 3 | tr '\n' ' ')
    [ -z "$lost" ] || fail "images are not as before: $lost; the old copy is $from.plinth-old"
}
# One at a time. Programs that an interrupted run left behind hold the lock too; once their script is gone, nobody waits for them.
lock() {
    mkdir -p "$state" && chmod 0700 "$state" || fail "$state cannot be made"
    exec 9>>"$state/storage.lock"
    if ! flock -w 5 9; then
        end_orphans
        flock -w 20 9 || fail "another run still works on the data of containerd:$holders; wait for it"
    fi
    printf '%s\n' "$$" >"$state/storage.pid"
}
# Ended at any moment, a move begins again where it stood: to end what is left of one loses nothing.
end_orphans() {
    leader=$(cat "$state/storage.pid" 2>/dev/null)
    orphans=
    holders=
    for link in /proc/[0-9]*/fd/9; do
        holder=${link#/proc/}
        holder=${holder%%/*}
        if [ "$holder" = "$$" ] || ! [ "$link" -ef "$state/storage.lock" ]; then continue; fi
        read -r program 2>/dev/null <"/proc/$holder/comm" || continue
        orphans="$orphans $holder"
        holders="$holders $program ($holder)"
    done
    case "$orphans " in *" $leader "*) ;; *) kill -KILL $orphans 2>/dev/null ;; esac
}
move() {
    read_state
    if [ -z "$stage" ] || [ "$stage" = "done" ]; then
        if is_linked || configured; then
            restart
            return 0
        fi
        begin
    elif [ "$begun_from" != "$from" ] || [ "$begun_to" != "$to" ]; then
        fail "a move from $begun_from to $begun_to was begun here; that one comes first"
    else
        emit stage "$stage"
    fi
    while [ "$stage" != "done" ]; do
        case $stage in
            stopping) stop_all ;;
            copying) copy_all ;;
            verified) confirm ;;
            switching) switch ;;
            starting) start_all ;;
            undoing) undo && begin ;;
            *) fail "the state file $state/storage is not of this version: stage $stage" ;;
        esac
    done
}
restart() {
    if stopped; then
        systemctl start containerd || fail "containerd does not start from $to"
    fi
}
remove_old() {
    [ -d "$old" ] || return 0
    is_linked || fail "$from is not the link to $to; the old copy stays"
    read_state
    [ "$stage" = "done" ] || fail "the move is not done; the old copy stays"
    if loaded containerd.service && ! active containerd.service; then fail "containerd does not run; the old copy stays"; fi
    is_empty "$root$to" && fail "$to is empty; the old copy stays"
    rm -rf --one-file-system "$old" || fail "$from.plinth-old cannot be removed"
    durable "$(dirname "$old")"
}
main() {
    case $action in
        move) lock && move ;;
        remove) lock && remove_old ;;
    esac
    look
    return 0
}
