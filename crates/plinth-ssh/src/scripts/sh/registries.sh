# Registry mirrors and logins. Parameters: root state action count, per file N path_N mode_N words_N digest_N content_N; urls;
# mirrors (yes when containerd must read certs.d).
# Frames: same, lack (what set writes), foreign (not ours to change), silent (an address that does not answer), unread.
# What plinth wrote is known by its digest in $state/files; the content may be secret and is never read back.
record_of() {
    printf '%s/files/%s\n' "$root$state" "$(printf '%s' "$1" | tr / _)"
}
is_ours() {
    grep -qxs -- "$2" "$(record_of "$1")"
}
# The record of a file that is in place still names what was there before.
is_half_recorded() {
    record=$(record_of "$path")
    [ -r "$record" ] && { read -r recorded && read -r recorded; } <"$record"
}
file_parameters() {
    eval "path=\$path_$1 mode=\$mode_$1 words=\$words_$1 wanted=\$digest_$1 content=\$content_$1"
}
# verdict: same, mode, new, ours (may be replaced), foreign, or unknown: it cannot be read.
path='' mode='' words='' wanted=''
verdict() {
    if [ ! -e "$root$path" ]; then
        echo new
        return 0
    fi
    now=$(digest "$root$path")
    if [ -z "$now" ]; then
        echo unknown
    elif [ "$now" = "$wanted" ]; then
        if [ "$(stat -L -c %a "$root$path")" = "${mode#0}" ]; then echo same; else echo mode; fi
    elif is_ours "$path" "$now"; then
        echo ours
    else
        echo foreign
    fi
}
look_files() {
    n=0
    while [ "$n" -lt "$count" ]; do
        n=$((n + 1))
        file_parameters "$n"
        case $(verdict) in
            same) if is_half_recorded; then emit lack "~ record of $path, which a killed run left"; else emit same "$words"; fi ;;
            new) emit lack "+ $words" ;;
            ours) emit lack "~ $words" ;;
            mode) emit lack "~ mode $mode of $path" ;;
            unknown) fail "$path cannot be read" ;;
            foreign) emit foreign "$path was not written by plinth and is not as wanted; merge it by hand or move it away" ;;
        esac
    done
}
# The record names the new and the present content while the file is being replaced: either is ours after an interruption.
set_file() {
    file_parameters "$1"
    text=$content
    record=$(record_of "$path")
    now=$(digest "$root$path")
    mkdir -p "${record%/*}" "$(dirname "$root$path")" || return 1
    chmod 0700 "$root$state" || return 1
    content="$wanted
$now
"
    put "$record" 0600 '' || return 1
    content=$text
    put "$root$path" "$mode" '' || return 1
    content="$wanted
"
    put "$record" 0600 ''
}
set_files() {
    n=0
    while [ "$n" -lt "$count" ]; do
        n=$((n + 1))
        file_parameters "$n"
        set_file "$n" || fail "$path cannot be written"
    done
}
# hosts.toml counts only where config_path names its directory; without containerd there is nothing to tell yet.
look_config() {
    [ "$mirrors" = yes ] && has containerd || return 0
    { containerd config dump 2>/dev/null || cat "$root/etc/containerd/config.toml" 2>/dev/null; } |
        grep -Eq "^[[:space:]]*config_path[[:space:]]*=[[:space:]]*[\"'](.*:)?/etc/containerd/certs\.d/?[:\"']" ||
        emit unread "containerd does not read /etc/containerd/certs.d: config_path in its registry configuration does not name it"
}
# Any answer of HTTP below 500 is an answer: a registry asks an unknown caller for a login.
ask() {
    if has curl; then
        code=$(curl -s -o /dev/null --connect-timeout 5 -m 10 -w '%{http_code}' "$1" 2>/dev/null)
        case $?:$code in
            *:[1-4][0-9][0-9]) return 0 ;;
            *:5*) why="answers $code" ;;
            6:*) why="has a name that does not resolve" ;;
            7:*) why="refuses the connection" ;;
            28:*) why="does not answer in time" ;;
            35:* | 51:* | 60:*) why="is not trusted by TLS" ;;
            *) why="does not answer" ;;
        esac
    elif has wget; then
        wget -q -O /dev/null -T 10 -t 1 "$1" 2>/dev/null
        case $? in
            0 | 6 | 8) return 0 ;;
            5) why="is not trusted by TLS" ;;
            *) why="does not answer" ;;
        esac
    else
        why="could not be asked: neither curl nor wget is installed"
    fi
    emit silent "$1 $why"
}
look_urls() {
    for url in $urls; do
        ask "$url" &
    done
    wait
}
main() {
    has sha256sum || fail "sha256sum is missing"
    if [ "$action" = 'set' ]; then
        seen=$(look_files)
        case $seen in
            *"@$frame fail "*)
                printf '%s\n' "$seen"
                exit 1
                ;;
            *"@$frame foreign "*)
                printf '%s\n' "$seen"
                return 0
                ;;
        esac
        set_files
    fi
    look_files
    look_config
    look_urls
    emit looked yes
    return 0
}
