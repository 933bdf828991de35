# What a careful person writes without plinth: all hosts at once, one connection and one script each. The password comes from
# the environment for ssh (sshpass) and by standard input for sudo. Words: known_hosts files, user, account, uid, key, hosts.
known=$1 user=$2 name=$3 uid=$4 key=$5
shift 5
script='set -eu
umask 022
name=$1 uid=$2 key=$3
[ -z "$(getent passwd "$name" "$uid"; getent group "$name" "$uid")" ]
groupadd -g "$uid" "$name"
useradd -m -u "$uid" -g "$uid" -s /bin/bash -p "*" "$name"
home=/home/$name
chmod 700 "$home"
mkdir -m 700 "$home/.ssh"
printf "%s\n" "$key" >"$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"
chown -R "$uid:$uid" "$home/.ssh"
new=/etc/sudoers.d/$name.new
(umask 077 && printf "%s ALL=(ALL:ALL) NOPASSWD: ALL\n" "$name" >"$new")
visudo -c -q -f "$new"
chmod 440 "$new"
mv "$new" "/etc/sudoers.d/$name"
id "$name"
runuser -u "$name" -- sudo -n true'
jobs=
for host; do
    { printf '%s\n' "$SSHPASS" && printf '%s\n' "$script"; } |
        sshpass -e ssh -F none -o StrictHostKeyChecking=accept-new -o "UserKnownHostsFile=$known.$host" -o LogLevel=ERROR \
            "$user@$host" "sudo -S -p '' sh -s -- $name $uid '$key'" &
    jobs="$jobs $!"
done
failed=0
for job in $jobs; do
    wait "$job" || failed=1
done
exit $failed
