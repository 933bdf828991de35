nonce=$1 mode=$2
if [ "$mode" = lock ]; then
    lock=${PLINTH_LOCK:-/run/plinth.lock}
    exec 9>"$lock"
    flock -w 60 9 || {
        printf '\n@%s fail another operation of plinth still runs on this node (it holds %s)\n\n@%s end 1\n' "$nonce" "$lock" "$nonce"
        exit 0
    }
fi
eval "$(cat)" 9>&-
