LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022
nonce=$1 folder=$2 name=$3 sha256=$4 size=$5 limit=$6
say() {
    printf '\n@%s %s %s\n' "$nonce" "$1" "$2"
}
refuse() {
    say fail "$1"
    say end 1
    exit 0
}
place=$folder/$name
mkdir -p "${place%/*}" || refuse "the folder ${place%/*} cannot be made"
[ ! -d "$folder/$name" ] || refuse "$folder/$name is a folder"
part=$folder/.$(printf %s "$name" | tr / _).part
exec 9>>"$part" || refuse "no file can be made in $folder"
flock -n 9 || refuse "another push of $name still runs on this node"
have=$(stat -c %s "$part") || refuse "$part cannot be read"
if [ "$have" -gt "$size" ]; then
    : >"$part"
    have=0
fi
say have "$have"
timeout "$limit" head -c "$((size - have))" >&9 || refuse "$name could not be written: the disk may be full, or it took too long"
have=$(stat -c %s "$part")
[ "$have" = "$size" ] || refuse "$name broke off at $have of $size bytes"
sum=$(sha256sum <"$part")
if [ "${sum%% *}" != "$sha256" ]; then
    rm -f "$part"
    refuse "$name arrived damaged: its checksum is ${sum%% *}"
fi
chmod 755 "$part" || refuse "$name cannot be given its mode"
sync "$part" 2>/dev/null || sync
mv -f "$part" "$folder/$name" || refuse "$name could not be put in place"
say end 0
exit 0
