hardy
