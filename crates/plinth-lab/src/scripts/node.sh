# Runs once inside a node's root file system (chroot, sh -eu). Standard input: account:password lines.
chpasswd
printf '%s\n' "$MACHINE_ID" > /etc/machine-id
printf '%s\n' "$HOST" > /etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$HOST" > /etc/hosts
for kind in $HOST_KEYS; do
    ssh-keygen -q -t "$kind" -N '' -C "root@$HOST" -f "/etc/ssh/ssh_host_${kind}_key"
done

# A public key for ubuntu, and for root where root may log in.
key() {
    for home in /home/ubuntu /root; do
        if [ "$home" = /root ] && [ "$PERMIT_ROOT" = no ]; then continue; fi
        mkdir -p -m 0700 "$home/.ssh"
        printf '%s\n' "$1" >> "$home/.ssh/authorized_keys"
        chmod 0600 "$home/.ssh/authorized_keys"
        chown -R --reference="$home" "$home/.ssh"
    done
}
sudoers() {
    printf '%s\n' "$1" > /etc/sudoers.d/ubuntu
    chmod 0440 /etc/sudoers.d/ubuntu
}

# Puts a program of the same name before the real one, which goes to /usr/lib/lab. Standard input: the new program.
stand_before() {
    mv "$(command -v "$1")" "/usr/lib/lab/$1"
    cat > "/usr/bin/$1"
    chmod 0755 "/usr/bin/$1"
}
