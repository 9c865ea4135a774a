#!/bin/sh
# Print a Python that can make the project's environment: at least 3.11, with venv and ensurepip. Debian packages the
# latter two apart: they are installed where this is root, else the message says how.
set -u

able() { "$1" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; }
complete() { "$1" -c "import ensurepip, venv" 2>/dev/null; }

first=
for python in python3.14 python3.13 python3.12 python3.11 python3; do
  if able "$python"; then
    if complete "$python"; then
      command -v "$python"
      exit 0
    fi
    first=${first:-$python}
  fi
done

if [ -z "$first" ]; then
  echo "Edgematrix needs Python 3.11 or newer, and there is none on the PATH." >&2
  echo "fix: install one, such as \`sudo apt-get install python3.11-venv\` or from https://www.python.org/downloads/" >&2
  exit 1
fi

package=$("$first" -c "import sys; print('python%d.%d-venv' % sys.version_info[:2])")
if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$package"; } >&2
  if complete "$first"; then
    command -v "$first"
    exit 0
  fi
fi
echo "$first cannot make virtual environments: its modules venv and ensurepip are missing." >&2
echo "fix: sudo apt-get install $package" >&2
exit 1
