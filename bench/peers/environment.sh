# Sourced with a number of threads: the environment in which libtorch is fastest. OpenMP has as many threads as are asked for, and large blocks of memory stay in the heap rather than being
# returned to the system and cleared again by it at every step.
export OMP_NUM_THREADS=$1 MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592
