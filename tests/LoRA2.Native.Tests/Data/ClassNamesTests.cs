using LoRA2.Native.Data;

namespace LoRA2.Native.Tests.Data;

public sealed class ClassNamesTests
{
    [Theory]
    [InlineData("neg,pos", "pos", 1)]
    [InlineData("NEG,POS", "pos", 1)]
    [InlineData("CONTRADICTION,NEUTRAL,ENTAILMENT", "entailment", 2)]
    [InlineData("entailment,not entailment", "not_entailment", 1)]
    [InlineData("LABEL_0,LABEL_1", "1", 1)]
    [InlineData("LABEL_0,LABEL_1", "label_1", 1)]
    [InlineData("neg,pos", "LABEL_1", 1)]
    [InlineData("0,1", "LABEL_1", 1)]
    [InlineData("LABEL_0,LABEL_1", "2", -1)]
    [InlineData("neg,pos", "LABEL_2", -1)]
    [InlineData("neg,pos", "1", -1)]
    [InlineData("neg,pos", "good", -1)]
    [InlineData("a,A", "A", 1)]
    [InlineData("to-day,to day", "to_day", -1)]
    [InlineData("LABEL_0,LABEL_1", "LABEL_-1", -1)]
    [InlineData("LABEL_0,LABEL_1", "LABEL_99999999999", -1)]
    public void ALabelNamesTheClassOfItsSpelling(string names, string label, int expected) => Assert.Equal(expected, ClassNames.IndexOf(names.Split(','), label));

    [Theory]
    [InlineData("entailment,neutral,contradiction", "CONTRADICTION,NEUTRAL,ENTAILMENT", "2,1,0")]
    [InlineData("0,1", "LABEL_0,LABEL_1", "0,1")]
    [InlineData("0,1", "neg,pos", null)]
    [InlineData("entailment,neutral,contradiction", "spam,ham,eggs", null)]
    [InlineData("a,b", "a,b,c", null)]
    public void ClassesAreMappedByNameWhateverTheirOrder(string from, string to, string? expected) =>
        Assert.Equal(expected?.Split(',').Select(int.Parse), ClassNames.Mapping(from.Split(','), to.Split(',')));
}
