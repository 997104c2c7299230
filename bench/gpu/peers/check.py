"""Checks that the plain PyTorch peer computes what HuggingFace does: logits, loss, hidden states and every gradient
against the golden traces, and the LoRA adapters against PEFT's. Exits 1 if anything is off.

    python3 check.py GOLDEN        (or the folder in LORA2_GOLDEN)"""
import json
import os
import sys

import torch

import encoder
import lora
import tensorfile

OUTPUT, GRADIENT = 5e-6, 1e-5  # absolute; relative to the largest entry of the tensor
SMALLEST = 1e-2  # a tensor whose entries are all below this is held to GRADIENT * SMALLEST: RoBERTa's key.bias has the
#                  exact gradient 0 (a softmax does not see a constant), so what the trace holds there is rounding, 3e-9


def largest_gap(got, want):
    if got.shape != want.shape:
        raise ValueError(f"shape {list(got.shape)}, expected {list(want.shape)}")
    return float((got - want).abs().max())


def compare(label, model, inputs, folder, rename=lambda name: name):
    """Runs the batch without dropout; True when all outputs and gradients agree with the folder's."""
    want = tensorfile.load(os.path.join(folder, "outputs.safetensors"))
    want_gradients = tensorfile.load(os.path.join(folder, "grads.safetensors"))
    model.eval()
    loss, logits, states = model(**inputs)
    loss.backward()
    got = {"logits": logits, "loss": loss.reshape(1), **{f"hidden_states.{i}": s for i, s in enumerate(states)}}
    names = [name for name in got if name in want]
    gaps = [largest_gap(got[name].reshape(want[name].shape), want[name]) for name in names]
    gradients = {rename(name): p.grad for name, p in model.named_parameters() if p.requires_grad}
    lacking = sorted(set(want_gradients) - {name for name, g in gradients.items() if g is not None})
    if lacking:
        raise ValueError(f"{label}: no gradient for {', '.join(lacking)}")
    relative = [largest_gap(gradients[name], g) / max(float(g.abs().max()), SMALLEST) for name, g in want_gradients.items()]
    good = max(gaps) <= OUTPUT and max(relative) <= GRADIENT
    print(f"{label:32} {len(names)} outputs within {max(gaps):.1e}, {len(relative)} gradients within {max(relative):.1e} "
          f"of their largest entry: {'agrees' if good else 'DISAGREES'}")
    return good


def compare_training(folder, base):
    """The 20 AdamW steps of a full fine-tuning run: losses and final weights."""
    with open(os.path.join(folder, "trajectory.json"), encoding="utf-8") as file:
        want = json.load(file)
    batches = tensorfile.load(os.path.join(folder, "batches.safetensors"))
    final = tensorfile.load(os.path.join(folder, "final.safetensors"))
    model = encoder.load(base).eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=want["lr"], weight_decay=want["weight_decay"])
    gaps = []
    for step in want["steps"]:
        prefix = f"{step['step'] % 4}/"
        loss, _, _ = model(**{n[len(prefix):]: t for n, t in batches.items() if n.startswith(prefix)})
        loss.backward()
        optimizer.param_groups[0]["lr"] = step["lr"]
        optimizer.step()
        optimizer.zero_grad()
        gaps.append(abs(float(loss) - step["loss"]))
    weights = max(largest_gap(p.detach(), final[n]) for n, p in model.named_parameters())
    good = max(gaps) <= 1e-4 and weights <= 1e-3
    print(f"{os.path.basename(folder):32} {len(gaps)} losses within {max(gaps):.1e}, final weights within {weights:.1e}: "
          f"{'agrees' if good else 'DISAGREES'}")
    return good


def main(golden):
    torch.set_num_threads(1)
    results = []
    for name in ("deberta_v3_tiny", "deberta_v3_tiny_logbucket", "roberta_tiny"):
        folder = os.path.join(golden, name)
        inputs = tensorfile.load(os.path.join(folder, "inputs.safetensors"))
        results.append(compare(name, encoder.load(folder), inputs, folder))
        regression = os.path.join(folder, "reg")
        model = encoder.load(folder, labels=1, head=os.path.join(regression, "head.safetensors"))
        results.append(compare(name + "/reg", model, tensorfile.load(os.path.join(regression, "inputs.safetensors")), regression))
    folder = os.path.join(golden, "deberta_v3_tiny_logbucket")
    clamp = os.path.join(folder, "clamp")
    model = encoder.load(folder, max_relative_positions=24)
    results.append(compare("deberta_v3_tiny_logbucket/clamp", model, tensorfile.load(os.path.join(clamp, "inputs.safetensors")), clamp))
    for name in ("deberta_v3_tiny", "roberta_tiny"):
        folder, adapter = os.path.join(golden, name), os.path.join(golden, "lora_" + name)
        model = lora.attach(encoder.load(folder), rank=4, alpha=8)
        saved = tensorfile.load(os.path.join(adapter, "adapter_model.safetensors"))
        saved = {n.replace("base_model.model.", ""): t for n, t in saved.items()}
        trained = {n for n, p in model.named_parameters() if p.requires_grad}
        if trained != set(saved):
            raise ValueError(f"{adapter}: trained and saved parameters differ: {sorted(trained ^ set(saved))}")
        model.load_state_dict(saved, strict=False)
        inputs = tensorfile.load(os.path.join(folder, "inputs.safetensors"))
        results.append(compare("lora_" + name, model, inputs, adapter, lora.peft_name))
    results.append(compare_training(os.path.join(golden, "train_deberta_v3_tiny"), os.path.join(golden, "deberta_v3_tiny")))
    return 0 if all(results) else 1


if __name__ == "__main__":
    GOLDEN = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("LORA2_GOLDEN")
    if not GOLDEN:
        sys.exit("check.py: name the folder of golden traces, or set LORA2_GOLDEN")
    sys.exit(main(GOLDEN))
