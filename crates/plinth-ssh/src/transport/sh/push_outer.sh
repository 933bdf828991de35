if [ "$(id -u)" = 0 ]; then
    eval "$inner"
fi
exec sudo -n sh -c "$inner" plinth "$@"
