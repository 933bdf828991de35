# Volumes are folders of the node that the scheduler chose; a pod there makes and removes them.
folder={{ (index (index .Values.nodePathMap 0).paths 0) }}
on_node() { # NAME NODE COMMAND: and it has ended well
    kubectl apply -f - <<END
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: {{ .Release.Namespace }}}
spec:
  nodeName: $2
  restartPolicy: Never
  tolerations: [{operator: Exists}]
  volumes: [{name: all, hostPath: {path: $folder, type: DirectoryOrCreate}}]
  containers:
    - name: helper
      image: {{ .Values.helperImage.repository }}:{{ .Values.helperImage.tag }}
      command: [sh, -c, "$3"]
      volumeMounts: [{name: all, mountPath: /all}]
END
    kubectl wait --for=jsonpath='{.status.phase}'=Succeeded --timeout=60s -n {{ .Release.Namespace }} pod "$1" || return 1
    kubectl delete --wait=false -n {{ .Release.Namespace }} pod "$1"
}
claims='{range .items[?(@.status.phase=="Pending")]}{.spec.storageClassName} {.metadata.namespace} {.metadata.name} {.metadata.uid} {.spec.resources.requests.storage} {.metadata.annotations.volume\.kubernetes\.io/selected-node}{"\n"}{end}'
volumes='{range .items[?(@.status.phase=="Released")]}{.spec.storageClassName} {.metadata.name} {.spec.persistentVolumeReclaimPolicy} {.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]}{"\n"}{end}'
make() {
    kubectl get pvc -A -o jsonpath="$claims" > /tmp/claims
    while read -r class namespace name uid size node; do
        [ "$class" = {{ .Values.storageClass.name }} ] && [ "$node" ] || continue
        on_node "make-$uid" "$node" "mkdir -p -m 0777 /all/pvc-$uid" < /dev/null || continue
        kubectl apply -f - <<END
apiVersion: v1
kind: PersistentVolume
metadata:
  name: pvc-$uid
  annotations: {pv.kubernetes.io/provisioned-by: PROVISIONER}
spec:
  capacity: {storage: $size}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: {{ .Values.storageClass.reclaimPolicy }}
  storageClassName: $class
  local: {path: $folder/pvc-$uid}
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, namespace: $namespace, name: $name, uid: $uid}
  nodeAffinity:
    required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [$node]}]}]}
END
    done < /tmp/claims
}
remove() {
    kubectl get pv -o jsonpath="$volumes" > /tmp/volumes
    while read -r class name policy node; do
        [ "$class" = {{ .Values.storageClass.name }} ] && [ "$policy" = Delete ] || continue
        on_node "remove-$name" "$node" "rm -rf /all/$name" < /dev/null || continue
        kubectl delete --wait=false pv "$name"
    done < /tmp/volumes
}
(while :; do kubectl get pv -w -o name | while read -r _; do remove < /dev/null; done; done) &
while :; do kubectl get pvc -A -w -o name | while read -r _; do make < /dev/null; done; done
