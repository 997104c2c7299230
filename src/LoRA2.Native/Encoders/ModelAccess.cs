using System.Diagnostics.CodeAnalysis;

namespace LoRA2.Native.Encoders;

/// <summary>
/// Who uses a model at the moment: any number of passes, or one change of it (another adapter, another device, a training step, its end). A pass holds what it uses: a
/// change waits for the passes that began before it, and those that come later see it whole.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The lock outlives the model: whoever comes after the end asks it, and has to be told so.")]
internal sealed class ModelAccess
{
    // One thread may pass inside its own change (an evaluation in a training step's place), and pass inside a pass.
    private readonly ReaderWriterLockSlim access = new(LockRecursionPolicy.SupportsRecursion);
    private bool ended;

    /// <summary>Begins a pass.</summary>
    /// <exception cref="ObjectDisposedException">The model is no more.</exception>
    public Lease Pass()
    {
        access.EnterReadLock();
        if (!ended) return new Lease(access, isChange: false);
        access.ExitReadLock();
        throw new ObjectDisposedException(nameof(SequenceClassifier));
    }

    /// <summary>Begins a change.</summary>
    /// <exception cref="ObjectDisposedException">The model is no more.</exception>
    public Lease Change()
    {
        access.EnterWriteLock();
        if (!ended) return new Lease(access, isChange: true);
        access.ExitWriteLock();
        throw new ObjectDisposedException(nameof(SequenceClassifier));
    }

    /// <summary>Waits for everybody, frees, and lets nobody in again; the second time it does nothing.</summary>
    public void End(Action free)
    {
        access.EnterWriteLock();
        try
        {
            if (ended) return;
            ended = true;
            free();
        }
        finally
        {
            access.ExitWriteLock();
        }
    }

    /// <summary>A pass or a change, until it is disposed.</summary>
    public readonly struct Lease(ReaderWriterLockSlim access, bool isChange) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            if (isChange) access.ExitWriteLock();
            else access.ExitReadLock();
        }
    }
}
