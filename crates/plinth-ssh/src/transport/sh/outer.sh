IFS= read -r password
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
length=$1 nonce=$2 mode=$3 proven=
refuse() {
    printf '\n@%s no-root %s\n' "$nonce" "$1"
    exit 0
}
# Checked once. The ticket serves this shell's own children in this session, no other shell and no other channel.
prove() {
    printf '%s\n' "$password" | sudo -S -p '' sh -c : || refuse wrong-password
    proven=yes
}
# Answers whether sudo did not run it.
run() {
    sudo -n sh -c "$inner" plinth "$length" "$nonce" "$mode" keep
    [ "$?" = 1 ]
}
# Where sudo remembers nothing, it is given the password again; what reads the rest of the channel then is not this shell.
once() {
    printf '\n@%s once 1\n' "$nonce"
    # What feeds sudo ends with it: on a cut link it would wait for a channel that nobody closes.
    {
        sh -c 'echo "$PPID"'
        printf '%s\n' "$password"
        exec cat
    } | {
        IFS= read -r feeder
        sudo -S -k -p '' sh -c "$inner" plinth "$length" "$nonce" "$mode"
        kill "$feeder" 2>/dev/null
    }
    exit 0
}
if [ "$mode" = user ] || [ "$(id -u)" = 0 ]; then
    eval "$inner"
fi
command -v sudo >/dev/null || refuse no-sudo
if [ -z "$password" ]; then
    sudo -n sh -c "$inner" plinth "$@"
    [ "$?" = 1 ] && refuse wants-password
    exit 0
fi
while :; do
    if [ -z "$proven" ] || run; then
        prove
        run && once
    fi
    printf '\n@%s ready 1\n' "$nonce"
    # Bytes that say someone is there may come before the line's end; then come the words, the password and the script. A link
    # that is cut says nothing at all: nobody stays for that.
    while :; do
        byte=$(timeout 30 dd bs=1 count=1 2>/dev/null; echo x)
        case $byte in
            .x) continue ;;
            x) exit 0 ;;
            *) break ;;
        esac
    done
    read -r length nonce mode && IFS= read -r password || exit 0
done
