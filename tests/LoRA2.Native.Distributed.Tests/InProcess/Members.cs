using LoRA2.Native.Communication;

namespace LoRA2.Native.Distributed.Tests.InProcess;

/// <summary>Threads that compute together.</summary>
internal static class Members
{
    /// <summary>Has each member do something on a thread of its own; returns what each gave, or throws what the first that failed threw.</summary>
    public static T[] Each<T>(int size, Func<Communicator, T> action)
    {
        LocalCommunicator[] members = LocalCommunicator.Create(size);
        var given = new T[size];
        var failures = new Exception?[size];
        Thread[] threads = [.. members.Select(member => new Thread(() =>
        {
            try
            {
                given[member.Rank] = action(member);
            }
            catch (Exception e)
            {
                failures[member.Rank] = e;
                // What all members find wrong ends all of them; the others are told of what is one's own.
                if (e is not (Files.InputException or OperationCanceledException)) member.Abort(e.Message);
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Exception? cause = Array.Find(failures, failure => failure is not (null or CommunicationException)) ?? Array.Find(failures, failure => failure is not null);
        if (cause is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
        return given;
    }
}
