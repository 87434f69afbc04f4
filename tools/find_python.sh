#!/bin/sh
# Which Python is there to make the virtual environment with? Prints the first that really runs (a version manager may
# leave a command that does not), is new enough and can make one. An argument names the only candidate.
[ -n "${1:-}" ] || set -- python3.13 python3.12 python3.11 python3
for python in "$@"; do
    if "$python" "$(dirname "$0")/new_enough.py" >/dev/null 2>&1 && "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        command -v "$python"
        exit 0
    fi
done
echo "Laddbok needs Python 3.11 or newer with venv (tried $*). Debian: apt-get install python3 python3-venv; macOS: brew install python@3.13; or name one: make setup PYTHON=..." >&2
exit 1
