#!/bin/sh
# A sudo for tests: `free` asks for no password, `asks` for one each time, `remembers` for one in a shell, the others refuse in
# different ways.
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
if [ "$listen" = no ]; then
    [ "$SUDO_KIND" = free ] || grep -qsx "$PPID" "$SUDO_LOG.remembered" || { echo 'sudo: a password is required' >&2; exit 1; }
    PLINTH_SUDO=yes exec "$@"
fi
IFS= read -r password
echo try >>"$SUDO_LOG"
case $SUDO_KIND in
tty) echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1 ;;
others) echo 'ada is not in the sudoers file.' >&2; exit 1 ;;
refuses) echo 'sudo: 1 incorrect password attempt' >&2; exit 1 ;;
esac
[ "$password" = 'right password' ] || exit 1
[ "$SUDO_KIND" != remembers ] || echo "$PPID" >>"$SUDO_LOG.remembered"
PLINTH_SUDO=yes
export PLINTH_SUDO
exec "$@"
