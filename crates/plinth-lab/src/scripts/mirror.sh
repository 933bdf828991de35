# Makes the mirror (sh -eu) in OUT, from the programs in BIN and a Debian root file system PIECES. The versions stand before.
ARCH=amd64
stage=$OUT.stage
trap 'rm -rf "$stage"' EXIT
mkdir -p "$OUT/images" "$OUT/v2/blobs" "$stage"

# Programs, in the places where their projects offer them. A fixed order, owner and time make the same bytes each time.
pack() { # FOLDER NAME...: a .tar.gz on standard output
    folder=$1
    shift
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=0755 -C "$folder" -cf - "$@" | gzip -1n
}
place() { # PATH: makes the folder and gives the path
    mkdir -p "$OUT/$(dirname "$1")"
    printf '%s/%s' "$OUT" "$1"
}
for name in kubelet kubeadm kubectl; do
    cp -l "$(readlink -f "$BIN/$name")" "$(place "release/v$KUBERNETES/bin/linux/$ARCH/$name")"
done
tree=$stage/etcd-v$ETCD-linux-$ARCH
mkdir "$tree"
cp -L "$BIN/etcd" "$BIN/etcdctl" "$BIN/etcdutl" "$tree"
pack "$stage" "$(basename "$tree")" > "$(place "etcd-io/etcd/releases/download/v$ETCD/etcd-v$ETCD-linux-$ARCH.tar.gz")"
mkdir "$stage/bin"
cp -L "$BIN/containerd" "$BIN/containerd-shim-runc-v2" "$BIN/ctr" "$stage/bin"
pack "$stage" bin > "$(place "containerd/containerd/releases/download/v$CONTAINERD/containerd-$CONTAINERD-linux-$ARCH.tar.gz")"
pack "$(dirname "$(readlink -f "$BIN/crictl")")" crictl \
    > "$(place "kubernetes-sigs/cri-tools/releases/download/v$CRICTL/crictl-v$CRICTL-linux-$ARCH.tar.gz")"
mkdir "$stage/nerdctl"
printf '%s' "$NERDCTL_SCRIPT" > "$stage/nerdctl/nerdctl"
pack "$stage/nerdctl" nerdctl > "$(place "containerd/nerdctl/releases/download/v$NERDCTL/nerdctl-$NERDCTL-linux-$ARCH.tar.gz")"
cp "$PIECES/usr/sbin/runc" "$(place "opencontainers/runc/releases/download/v$RUNC/runc.$ARCH")"
pack "$PIECES/usr/lib/cni" . > "$(place "containernetworking/plugins/releases/download/v$CNI/cni-plugins-linux-$ARCH-v$CNI.tgz")"

# Images of one layer each: as archives, and as a registry has them.
sum() { sha256sum "$1" | cut -d ' ' -f 1; }
blob() { # FILE TYPE: keeps it by its digest, and describes it
    digest=sha256:$(sum "$1")
    cp "$1" "$OUT/v2/blobs/$digest"
    printf '{"mediaType":"application/vnd.oci.image.%s","digest":"%s","size":%s}' "$2" "$digest" "$(stat -c %s "$1")"
}
image() { # FOLDER ENTRYPOINT-AS-JSON NAME...: one image under all these names, one file for each name
    layer=$stage/layer.tar
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$1" -cf "$layer" .
    path='"Env":["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]'
    printf '{"architecture":"%s","os":"linux","config":{%s,"Entrypoint":%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$ARCH" "$path" "$2" "$(sum "$layer")" > "$stage/config.json"
    shift 2
    names=
    for name in "$@"; do names="$names${names:+,}\"$name\""; done
    printf '[{"Config":"config.json","RepoTags":[%s],"Layers":["layer.tar"]}]' "$names" > "$stage/manifest.json"
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
        "$(blob "$stage/config.json" config.v1+json)" "$(blob "$layer" layer.v1.tar)" > "$stage/oci.json"
    blob "$stage/oci.json" manifest.v1+json > /dev/null
    first=
    for name in "$@"; do
        cp "$stage/oci.json" "$(place "v2/manifests/${name%:*}/${name##*:}")"
        file=$OUT/images/$(printf %s "$name" | tr '/:' '__').tar
        if [ -z "$first" ]; then
            first=$file
            tar -C "$stage" -cf "$file" manifest.json config.json layer.tar
        else
            ln "$first" "$file"
        fi
    done
}
alone() { # PROGRAM NAME...: an image of one static program
    tree=$stage/image-$1
    mkdir -p "$tree/usr/local/bin" "$tree/tmp" "$tree/etc"
    cp -L "$BIN/$1" "$tree/usr/local/bin/"
    program=$1
    shift
    image "$tree" "[\"/usr/local/bin/$program\"]" "$@"
}
# Programs of Debian with all they load, as paths inside PIECES; links are followed, so that no name points outside.
closure() {
    chroot "$PIECES" /bin/sh -euc '
        loaded() { ldd "$1" 2>/dev/null | grep -o "/[^ ]*" || true; }
        for file in "$@"; do printf "%s\n" "$file"; loaded "$file"; done | sort -u' sh "$@"
}
taken() { # FOLDER FILE...: copies them with all they load
    tree=$1
    shift
    mkdir -p "$tree"
    closure "$@" | sed 's,^/,,' | chroot "$PIECES" tar --dereference -C / -cf - -T - | tar -C "$tree" -xf -
}
tree=$stage/image-kubernetes
tables=
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore ipset nft; do
    tables="$tables /usr/sbin/$name"
done
# shellcheck disable=SC2046,SC2086 # lists of plain paths
taken "$tree" $tables $(cd "$PIECES" && find usr/lib/*/xtables -name '*.so' | sed 's,^,/,')
mkdir -p "$tree/usr/local/bin" "$tree/run" "$tree/tmp" "$tree/etc"
cp "$(readlink -f "$BIN/kubelet")" "$tree/usr/local/bin/kubernetes"
set --
for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do
    ln -s kubernetes "$tree/usr/local/bin/$name"
    set -- "$@" "registry.k8s.io/$name:v$KUBERNETES"
done
image "$tree" '["/usr/local/bin/kubernetes"]' "$@"
alone etcd "registry.k8s.io/etcd:$ETCD-0"
# shellcheck disable=SC2046
alone coredns $(for tag in $COREDNS; do echo "registry.k8s.io/coredns/coredns:v$tag"; done)
# shellcheck disable=SC2046
alone pause $(for tag in $PAUSE; do echo "registry.k8s.io/pause:$tag"; done)
alone probe "$PROBE"
tree=$stage/image-busybox
mkdir -p "$tree/bin" "$tree/tmp" "$tree/etc"
cp "$PIECES/bin/busybox" "$tree/bin/"
for name in $("$PIECES/bin/busybox" --list); do ln -s busybox "$tree/bin/$name" 2> /dev/null || true; done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' > "$tree/etc/passwd"
image "$tree" '["/bin/sh"]' "$BUSYBOX"
cp -a "$tree" "$stage/image-operator"
cp "$(readlink -f "$BIN/kubelet")" "$stage/image-operator/bin/kubectl"
image "$stage/image-operator" '["/bin/sh"]' "$OPERATOR"
printf '#!/bin/sh\nset -f\nat=0\nfor id in $(echo "${NVIDIA_VISIBLE_DEVICES:-0}" | tr , " "); do echo "GPU $at: stand-in (UUID: $id)"; at=$((at + 1)); done\n' > "$tree/bin/nvidia-smi"
chmod 0755 "$tree/bin/nvidia-smi"
image "$tree" '["/bin/sh"]' "$CUDA"
tree=$stage/image-nginx
# shellcheck disable=SC2046
taken "$tree" /usr/sbin/nginx $(cd "$PIECES" && find usr/lib/nginx/modules -name 'ngx_stream_module.so' | sed 's,^,/,')
mkdir -p "$tree/var/log/nginx" "$tree/var/lib/nginx" "$tree/run" "$tree/tmp" "$tree/etc"
printf 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n' > "$tree/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' > "$tree/etc/group"
# The stream part is a module of its own in Debian, and the configuration of a balancer does not know that.
image "$tree" '["/usr/sbin/nginx","-g","load_module /usr/lib/nginx/modules/ngx_stream_module.so; daemon off; user nobody nogroup;"]' \
    "docker.io/library/nginx:$NGINX"

# What a client checks downloads by.
(cd "$OUT" && find . -type f ! -path './images/*' ! -path './v2/*' ! -name sha256sums | sort | xargs sha256sum | sed 's, \./, ,' > "$stage/sums")
mv "$stage/sums" "$OUT/sha256sums"
