using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>Which tile of the result a block makes, and which part of k: blocks that run at the same time share rows and columns of the operands.</summary>
internal readonly struct TilePlace
{
    private const int RowsOfGroup = 8;

    public readonly int Row;
    public readonly int Column;

    /// <summary>The product of planes to begin with, and how many of its tiles to skip.</summary>
    public readonly int Product;
    public readonly int Skip;

    /// <summary>Tiles along k.</summary>
    public readonly int Count;

    public TilePlace(int m, int n, int rowsOfTile, int columnsOfTile, int total, int tiles, int products)
    {
        int rows = (m + rowsOfTile - 1) / rowsOfTile, columns = (n + columnsOfTile - 1) / columnsOfTile;
        int group = Grid.IdxX / (RowsOfGroup * columns), within = Grid.IdxX - (group * RowsOfGroup * columns);
        int height = rows - (group * RowsOfGroup);
        height = height < RowsOfGroup ? height : RowsOfGroup;
        Column = within / height;
        Row = (group * RowsOfGroup) + (within - (Column * height));

        int first = (int)((long)total * Grid.IdxZ / Grid.DimZ);
        Count = (int)((long)total * (Grid.IdxZ + 1) / Grid.DimZ) - first;
        Product = first / tiles;
        Product = Product < products ? Product : products;
        Skip = first - (Product * tiles);
    }

    /// <summary>Where, in elements, this part of k writes its sums.</summary>
    public static uint FirstOf(int m, int n) => (uint)Grid.IdxZ * (uint)m * (uint)n;
}
