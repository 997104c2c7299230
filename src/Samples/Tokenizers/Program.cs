// Text to ids and back with a HuggingFace tokenizer, without an engine. Give it the folder of any model; without one it takes the quick start's.
using LoRA2.Native.Tokenizers;

string folder = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart/all-minilm-l6-v2";
Tokenizer tokenizer = Tokenizer.FromFolder(folder);

TokenizedText text = tokenizer.EncodeWithTokens("My parcel never arrived.");
Console.WriteLine($"tokens  {string.Join(' ', text.Tokens)}");
Console.WriteLine($"ids     {string.Join(' ', text.Ids)}");
Console.WriteLine($"back    {tokenizer.Decode(text.Ids)}");

// A pair, cut where the model's input ends.
EncodedInput pair = tokenizer.EncodePair("Where is my parcel?", "It was delivered yesterday, to a neighbour.", maxLength: 12);
Console.WriteLine($"pair    {string.Join(' ', pair.Ids.Select(tokenizer.IdToToken))}");
Console.WriteLine($"length  {pair.Ids.Length}, padding is {tokenizer.PadId}");
