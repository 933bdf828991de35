mkdir -p /tmp/www
echo 'DCGM_FI_DEV_GPU_TEMP{gpu="0"} 41' > /tmp/www/metrics
exec httpd -f -p 9400 -h /tmp/www
