using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Paged;

/// <summary>A page that a block writes.</summary>
/// <param name="Page">Its new version.</param>
/// <param name="ETag">The document's version that it was worked out from; null where there is none.</param>
internal sealed record PageWrite(Page Page, string? ETag);

/// <summary>Everything of the state that a block writes before it becomes the head; nothing is written yet.</summary>
/// <param name="Pages">Each page once.</param>
/// <param name="Segments">History that moves out of its page: blobs, to be written before the pages.</param>
/// <param name="Code">Code that the block deployed.</param>
/// <param name="Pruned">Blobs that nobody needs once the block is the head.</param>
internal sealed record PagePlan(
    IReadOnlyList<PageWrite> Pages,
    IReadOnlyList<(string Name, byte[] Body)> Segments,
    IReadOnlyList<Code> Code,
    IReadOnlyList<string> Pruned);

/// <summary>The block that a plan is for.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Hash">Its hash.</param>
/// <param name="Oldest">The oldest block whose state can be read once it is the head.</param>
internal readonly record struct PlannedBlock(ulong Number, Hash256 Hash, ulong Oldest);
