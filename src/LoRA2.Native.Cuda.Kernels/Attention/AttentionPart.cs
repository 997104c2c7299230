namespace LoRA2.Native.Cuda.Kernels.Attention;

/// <summary>The sums of a tile for the rows of a position table, in windows of 64 distances (<see cref="AttentionGradient"/>). A thread reads what it has written itself.</summary>
internal readonly unsafe struct AttentionPart
{
    private readonly float* first;
    private readonly int size;
    private readonly int columns;
    private readonly bool fours;

    public AttentionPart(AttentionPlace place, nint parts, int column, bool fours)
    {
        uint tiles = (uint)((place.Length + AttentionTile.Side - 1) / AttentionTile.Side);
        uint number = (((uint)place.Local * tiles) + (uint)(place.Tile / AttentionTile.Side)) * (tiles + 1);
        uint at = (((number * AttentionTile.Side) + (uint)(4 * AttentionTile.Y)) * (uint)place.Size) + (uint)(column + (4 * AttentionTile.X));
        size = place.Size;
        // Where nothing is wanted there is no column.
        columns = parts == 0 ? 0 : place.ColumnsFrom(column) - (4 * AttentionTile.X);
        this.fours = fours;
        first = (float*)parts + at;
    }

    public Square Load(int window) => new()
    {
        Row0 = AttentionPlace.LoadRow(At(window, 0), columns, fours),
        Row1 = AttentionPlace.LoadRow(At(window, 1), columns, fours),
        Row2 = AttentionPlace.LoadRow(At(window, 2), columns, fours),
        Row3 = AttentionPlace.LoadRow(At(window, 3), columns, fours),
    };

    public void Store(int window, Square x)
    {
        AttentionPlace.StoreRow(At(window, 0), columns, fours, x.Row0);
        AttentionPlace.StoreRow(At(window, 1), columns, fours, x.Row1);
        AttentionPlace.StoreRow(At(window, 2), columns, fours, x.Row2);
        AttentionPlace.StoreRow(At(window, 3), columns, fours, x.Row3);
    }

    private float* At(int window, int row) => first + ((((uint)window * AttentionTile.Side) + (uint)row) * (uint)size);
}
