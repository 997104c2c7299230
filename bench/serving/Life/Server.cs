using System.Diagnostics;
using LoRA2.Native.Hosting;

namespace LoRA2.Native.Serving.Life;

/// <summary>A server of a model and the adapters a and b, on a free port of the loopback.</summary>
internal static class Server
{
    /// <param name="folders">The model's and the adapters'.</param>
    /// <param name="taken">What is called with every request that is taken: its head was read.</param>
    public static async Task<WebApplication> Start(string[] folders, Action? taken = null)
    {
        WebApplication app = LoRA2Server.Create(
            options =>
            {
                options.ModelFolder = folders[0];
                options.Adapters["a"] = folders[1];
                options.Adapters["b"] = folders[2];
            },
            new ServerOptions(), ["http://127.0.0.1:0"], logging => logging.SetMinimumLevel(LogLevel.None));
        if (taken is not null)
        {
            app.Use((_, next) =>
            {
                taken();
                return next();
            });
        }

        await app.StartAsync();
        return app;
    }

    /// <summary>Says where it listens, then for every line how many bytes are resident and how many were allocated since the start.</summary>
    public static async Task Serve(string[] folders)
    {
        await using WebApplication app = await Start(folders);
        Console.WriteLine($"{app.Urls.Single()} {Environment.ProcessId}");
        while (Console.ReadLine() is not null) Console.WriteLine($"{Resident()} {GC.GetTotalAllocatedBytes()}");
        await app.StopAsync();
    }

    public static long Resident()
    {
        using Process own = Process.GetCurrentProcess();
        return own.WorkingSet64;
    }
}
