"""`python3 -m runner`: the entry point of a measured container."""

from runner.supervisor import main

main()
