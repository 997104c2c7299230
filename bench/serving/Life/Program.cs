// A server's life, for bench/life.sh. Of a classifier's folder and two adapters:
//   Life serve MODEL A B                     a server; every line on standard input is answered with its memory
//   Life soak MODEL A B REQUESTS CALLERS     that server as a process of its own, and so many requests: right ones, bad ones, and clients that go away
//   Life stops MODEL A B ROUNDS CALLERS      servers that are stopped while callers ask
using System.Globalization;
using LoRA2.Native.Serving.Life;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["serve", .. { Length: 3 } folders]:
        await Server.Serve(folders);
        return 0;
    case ["soak", var model, var a, var b, var requests, var callers]:
        return await Soak.Run([model, a, b], int.Parse(requests), int.Parse(callers));
    case ["stops", var model, var a, var b, var rounds, var callers]:
        return await Stops.Run([model, a, b], int.Parse(rounds), int.Parse(callers));
    default:
        Console.Error.WriteLine("Life serve MODEL A B | soak MODEL A B REQUESTS CALLERS | stops MODEL A B ROUNDS CALLERS");
        return 2;
}
