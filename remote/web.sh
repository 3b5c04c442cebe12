# A release that a command of the project's own serves in gunicorn's place: where it listens.
# shellcheck shell=sh

# $1: port or socket
web_entrance() {
  case $1 in
    socket) entrance=SOCKET=/run/web-$name.$release/web.sock ;;
    *)
      port=$(/usr/bin/python3 -I "$dir/port.py" 3>&- 9>&-) || port=
      case $port in '' | *[!0-9]*) fail internal 'no free port was found' ;; esac
      entrance=PORT=$port
      ;;
  esac
  write_file "$root/.deploy/web.env" 0640 "root:web-$name" "$entrance
"
}

# $1: release
has_web_command() { [ -f "$home/releases/$1/.deploy/web-command" ]; }

# What leads to it, where something does.
# $1: release
web_proxy() {
  if [ -f "$wants/$(unit_of "$1").web.proxy.service" ]; then printf '%s' "$(unit_of "$1").web.proxy.service"; fi
}
