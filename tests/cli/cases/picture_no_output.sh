hardy picture absent.csv
