printf 'This system is for authorised use only.\nActivity may be recorded.\n' > /etc/issue.net
printf 'Maintenance on Sunday.\nCall the desk with questions.\n' > /etc/motd
printf 'printf "loading modules ... done"\necho "a warning from .bashrc" >&2\n%s\n' "$(cat /home/ubuntu/.bashrc)" > /home/ubuntu/.bashrc.new
cat /home/ubuntu/.bashrc.new > /home/ubuntu/.bashrc
rm /home/ubuntu/.bashrc.new
cat /home/ubuntu/.bashrc > /root/.bashrc
