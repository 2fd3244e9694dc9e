hardy --help
