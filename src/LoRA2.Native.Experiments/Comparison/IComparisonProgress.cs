namespace LoRA2.Native.Experiments.Comparison;

/// <summary>Told how a comparison goes, by several threads.</summary>
public interface IComparisonProgress
{
    /// <summary>Something a person should know.</summary>
    void Note(string text);

    /// <summary>A cell's run has begun.</summary>
    void Started(Cell cell);

    /// <summary>A cell's run has made a step.</summary>
    void Moved(Cell cell, int step, int total);

    /// <summary>A cell's run is over.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="text">How it ended.</param>
    /// <param name="done">Cells that have ended.</param>
    /// <param name="total">All cells.</param>
    void Ended(Cell cell, string text, int done, int total);
}
