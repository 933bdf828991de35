#!/bin/sh
# A sudo for tests: `free` asks for no password, `asks` for one each time, `remembers` for one from each parent in each session, the
# others refuse in different ways. Every reading of a password is a line in the log.
listen=
while :; do
    case $1 in
    -n) listen=no; shift ;;
    -S) listen=yes; shift ;;
    -k) shift ;;
    -p) shift 2 ;;
    *) break ;;
    esac
done
read -r _ _ _ _ _ session _ <"/proc/$$/stat"
ticket="$PPID in $session"
PLINTH_SUDO=yes
export PLINTH_SUDO
[ "$SUDO_KIND" != free ] || exec "$@"
if [ "$listen" = no ]; then
    grep -qsx "$ticket" "$SUDO_LOG.remembered" || { echo 'sudo: a password is required' >&2; exit 1; }
    exec "$@"
fi
IFS= read -r password
echo try >>"$SUDO_LOG"
case $SUDO_KIND in
tty) echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1 ;;
others) echo 'ada is not in the sudoers file.' >&2; exit 1 ;;
refuses) echo 'sudo: 1 incorrect password attempt' >&2; exit 1 ;;
esac
[ "$password" = 'right password' ] || exit 1
[ "$SUDO_KIND" != remembers ] || echo "$ticket" >>"$SUDO_LOG.remembered"
exec "$@"
