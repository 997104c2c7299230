namespace LoRA2.Native.Tensors.Devices;

/// <summary>What <see cref="Kernels.Reduce"/> makes of many numbers.</summary>
internal enum ReduceKind
{
    Sum,
    Product,

    /// <summary>The largest; NaN when there is one.</summary>
    Max,

    /// <summary>The smallest; NaN when there is one.</summary>
    Min,

    /// <summary>The place (Int64) of the first largest, or of the first NaN.</summary>
    ArgMax,

    /// <summary>The place (Int64) of the first smallest, or of the first NaN.</summary>
    ArgMin,

    /// <summary>Whether one is not 0, as Bool.</summary>
    Any,

    /// <summary>Whether none is 0, as Bool.</summary>
    All,
}

/// <summary>What <see cref="Kernels.Scan"/> runs along an axis.</summary>
internal enum ScanKind
{
    Sum,
    Product,

    /// <summary>The sum from the end.</summary>
    ReverseSum,
}

/// <summary>What <see cref="Kernels.Index"/> does between an array and the elements that indices pick of it.</summary>
internal enum IndexAccess
{
    /// <summary>picked = dense[index].</summary>
    Take,

    /// <summary>dense[index] = picked.</summary>
    Put,

    /// <summary>dense[index] += picked, in the order of the indices.</summary>
    Add,
}

/// <summary>A decomposition of the matrices that the last two axes are, by <see cref="Kernels.Factorise"/>.</summary>
internal enum Factorisation
{
    /// <summary>A = L Lᵀ. One result: L, lower triangular.</summary>
    Cholesky,

    /// <summary>P A = L U with partial pivoting. Results: L and U in one matrix, and the row exchanges (Int64), [.., n].</summary>
    LU,

    /// <summary>A = Q R, reduced, by Householder reflections with LAPACK's signs. Results: Q [.., m, k] and R [.., k, n].</summary>
    QR,

    /// <summary>A = U diag(s) Vᵀ, reduced, s descending. Results: U [.., m, k], s [.., k], Vᵀ [.., k, n].</summary>
    Svd,
}
