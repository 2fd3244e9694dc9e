hardy --version
