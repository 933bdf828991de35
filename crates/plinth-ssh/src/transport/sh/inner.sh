length=$1 nonce=$2 mode=$3 keep=$4
take() {
    dd bs="$1" count=1 iflag=fullblock 2>/dev/null || dd bs=1 count="$1" 2>/dev/null
}
watch() {
    limit='timeout 15' over=
    trap 'over=yes' USR1
    while :; do
        byte=$($limit dd bs=1 count=1 2>/dev/null)
        case $?$byte in
            *x) exit 0 ;;
            *.) continue ;;
            1 | 125 | 126 | 127) [ -n "$limit" ] || break ;;
            *) break ;;
        esac
        limit=
    done
    [ -z "$over" ] || exit 0
    trap '' TERM
    kill -TERM -"$1"
    for second in 1 2 3 4 5; do
        sleep 1
        kill -0 -"$1" || exit 0
    done
    kill -KILL -"$1"
}
printf '\n@%s begin 1\n' "$nonce"
text=$(take "$length"; echo .)
for tool in setsid flock; do
    command -v "$tool" >/dev/null || {
        printf '\n@%s fail %s is missing on this node; it comes with util-linux\n\n@%s end 1\n' "$nonce" "$tool" "$nonce"
        exit 0
    }
done
exec 3<&0
printf %s "${text%.}" | setsid sh -c "$child" plinth "$nonce" "$mode" 3<&- &
leader=$!
# A watch that is told of the end before it has set its trap would die of that, and nobody take the byte that says that all was heard.
trap '' USR1
watch "$leader" <&3 >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$leader"
# Where the script was killed it has not said so itself, and a shell that stays would wait to hear that this was heard.
printf '\n@%s over %s\n' "$nonce" "$?"
if [ -n "$keep" ]; then
    kill -USR1 "$watcher" 2>/dev/null
    wait "$watcher"
else
    kill "$watcher" 2>/dev/null
fi
exit 0
