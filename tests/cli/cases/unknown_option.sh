hardy --hepl
