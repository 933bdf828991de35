IFS= read -r password
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
refuse() {
    printf '\n@%s no-root %s\n' "$nonce" "$1"
    exit 0
}
nonce=$2
if [ "$3" = user ] || [ "$(id -u)" = 0 ]; then
    eval "$inner"
fi
command -v sudo >/dev/null || refuse no-sudo
sudo -n sh -c "$inner" plinth "$@"
[ "$?" = 1 ] || exit 0
[ -n "$password" ] || refuse wants-password
# Checked once: for this shell and no other, sudo remembers it. Where it may not, the second one here gives the password again.
printf '%s\n' "$password" | sudo -S -p '' true || refuse wrong-password
sudo -n sh -c "$inner" plinth "$@"
[ "$?" = 1 ] || exit 0
# What feeds sudo ends with it: on a cut link it would wait for a channel that nobody closes.
{
    sh -c 'echo "$PPID"'
    printf '%s\n' "$password"
    exec cat
} | {
    IFS= read -r feeder
    sudo -S -k -p '' sh -c "$inner" plinth "$@"
    kill "$feeder" 2>/dev/null
}
exit 0
