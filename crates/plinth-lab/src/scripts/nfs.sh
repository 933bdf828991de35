# No kernel here has an NFS client for certain, so the programs that tell of file systems say so instead.
stand_before stat <<'STAT'
#!/bin/sh
# Says nfs for a file system question about a path below /home.
case " $* " in
*" -f "*" /home"* | *" --file-system "*" /home"*)
    case "$*" in
    *%T*) echo nfs; exit ;;
    *%t*) echo 6969; exit ;;
    esac ;;
esac
exec /usr/lib/lab/stat "$@"
STAT
stand_before findmnt <<'FINDMNT'
#!/bin/sh
# Tells of an NFS mount for a question about a path below /home.
case " $* " in
*" /home"*)
    case "$*" in
    *SOURCE*FSTYPE* ) echo "nas.example:/export/home nfs4" ;;
    *FSTYPE* ) echo nfs4 ;;
    *SOURCE* ) echo nas.example:/export/home ;;
    *TARGET* ) echo /home ;;
    *) echo "/home nas.example:/export/home nfs4 rw,relatime" ;;
    esac
    exit ;;
esac
exec /usr/lib/lab/findmnt "$@"
FINDMNT
stand_before df <<'DF'
#!/bin/sh
# Calls the file system below /home nfs4 where the type was asked for.
case " $* " in
*" /home"*)
    case "$*" in
    *--output=fstype*) printf 'Type\nnfs4\n'; exit ;;
    *-*T*) /usr/lib/lab/df "$@" | sed '2,$s/^\([^ ]* *\)[^ ]*/nas.example:\/export\/home nfs4/'; exit ;;
    esac ;;
esac
exec /usr/lib/lab/df "$@"
DF
