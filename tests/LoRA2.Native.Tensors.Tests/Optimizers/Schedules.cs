using System.Text.Json;
using LoRA2.Native.Tensors.Optimizers;

namespace LoRA2.Native.Tensors.Tests.Optimizers;

/// <summary>The schedules of schedules.json.</summary>
internal static class Schedules
{
    public static Func<int, double> From(JsonElement schedule)
    {
        JsonElement options = schedule.GetProperty("options");
        double rate = schedule.GetProperty("lr").GetDouble();
        double Number(string name, double otherwise) => options.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : otherwise;
        int Int(string name, int otherwise = 0) => options.TryGetProperty(name, out JsonElement value) ? value.GetInt32() : otherwise;
        bool three = options.TryGetProperty("three_phase", out JsonElement phases) && phases.GetBoolean();
        bool linear = options.TryGetProperty("anneal_strategy", out JsonElement strategy) && strategy.GetString() == "linear";
        string name = schedule.GetProperty("scheduler").GetString()!;
        return name[(name.LastIndexOf('.') + 1)..] switch
        {
            "StepLR" => Schedule.Steps(rate, Int("step_size"), Number("gamma", 0.1)),
            "MultiStepLR" => Schedule.Milestones(rate, [.. options.GetProperty("milestones").EnumerateArray().Select(value => value.GetInt32())], Number("gamma", 0.1)),
            "ExponentialLR" => Schedule.Exponential(rate, Number("gamma", 1)),
            "CosineAnnealingLR" => Schedule.CosineAnnealing(rate, Int("T_max"), Number("eta_min", 0)),
            "CosineAnnealingWarmRestarts" => Schedule.CosineWarmRestarts(rate, Int("T_0"), Int("T_mult", 1), Number("eta_min", 0)),
            "OneCycleLR" => Schedule.OneCycle(Number("max_lr", rate), Int("total_steps"), Number("pct_start", 0.3), linear, Number("div_factor", 25), Number("final_div_factor", 1e4), three),
            "LinearLR" => Schedule.Linear(rate, Number("start_factor", 1.0 / 3), Number("end_factor", 1), Int("total_iters", 5)),
            "ConstantLR" => Schedule.Constant(rate, Number("factor", 1.0 / 3), Int("total_iters", 5)),
            "PolynomialLR" => Schedule.Polynomial(rate, Int("total_iters", 5), Number("power", 1)),
            "hf:linear" => Schedule.LinearWithWarmup(rate, Int("w"), Int("n")),
            "hf:cosine" => Schedule.CosineWithWarmup(rate, Int("w"), Int("n"), Number("cycles", 0.5)),
            "hf:cosine_with_restarts" => Schedule.CosineRestartsWithWarmup(rate, Int("w"), Int("n"), Int("cycles", 1)),
            "hf:polynomial" => Schedule.PolynomialWithWarmup(rate, Int("w"), Int("n"), Number("end", 1e-7), Number("power", 1)),
            "hf:constant" => Schedule.ConstantWithWarmup(rate, Int("w")),
            _ => throw new InvalidDataException($"there is no schedule {name}"),
        };
    }
}
