# Every answer is one line: `@<frame> <key> <value>`, behind a line break of its own, so that what a login shell prints before it
# cannot spoil it. A value of several lines is sent as several frames of one key.
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022
line_feed='
'
carriage_return=$(printf '\r')
# Without another process, unless there is a line break to take out.
emit() {
    emit_value=$2
    case $2 in
        *"$line_feed"* | *"$carriage_return"*) emit_value=$(printf '%s' "$2" | tr '\n\r' '  ') ;;
    esac
    printf '\n@%s %s %s\n' "$frame" "$1" "$emit_value"
}
emit_lines() {
    while IFS= read -r line || [ -n "$line" ]; do
        emit "$1" "$line"
    done
}
progress() {
    emit progress "$1 $2 $3"
}
fail() {
    emit fail "$1"
    end 1
    exit 1
}
has() {
    command -v "$1" >/dev/null 2>&1
}
end() {
    printf '\n@%s end %s\n' "$frame" "$1"
}
