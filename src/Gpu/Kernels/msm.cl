// Multi-scalar multiplication, Pippenger's buckets: sum of k_i P_i.
//
//   msm_digits      scalars ─▶ signed digits of window_bits, counted by bucket (window, |digit|)
//   msm_scan        counts ─▶ first places, a work-group a window
//   msm_scatter     point numbers and signs, sorted by bucket
//   POINT_segments  a bucket's points are summed in segments of at most segment_length, so that one full bucket (a
//                   witness has many ones) does not hold everybody up; repeated over the segments' sums until each
//                   bucket is one sum
//   POINT_reduce    sum of b * bucket[b], a stretch of a window's buckets a work-item; the host adds these up
//
// An entry is a point's number with the sign in bit 31.

// digits[w * count + i]: 0 for none, else |digit| with the sign in bit 31
kernel void msm_digits(
    global const u256* scalars, global uint* digits, volatile global uint* counts,
    uint count, uint first_window, uint windows, uint window_bits) {
    uint i = get_global_id(0);
    u256 k = scalars[i];
    uint size = 1u << window_bits;
    uint carry = 0;
    for (uint w = 0; w < first_window + windows; w++) {
        uint bit = w * window_bits;
        uint value = carry;
        if (bit < 256) {
            ulong pair = k.v[bit >> 5];
            if ((bit >> 5) < 7) pair |= (ulong)k.v[(bit >> 5) + 1] << 32;
            value += (uint)(pair >> (bit & 31)) & (size - 1);
        }
        uint negative = value > size / 2 ? 1 : 0;
        carry = negative;
        uint amount = negative ? size - value : value;
        if (w >= first_window) {
            uint row = w - first_window;
            digits[row * count + i] = amount == 0 ? 0 : amount | (negative << 31);
            if (amount != 0) atomic_inc(&counts[row * (size / 2) + amount - 1]);
        }
    }
}

// starts[b] = base + the counts before b in its row, each count divided by divisor and rounded up; totals[row] = their
// sum. A work-group a row.
kernel void msm_scan(
    global const uint* counts, global uint* starts, global uint* totals, uint buckets, uint divisor, uint row_stride,
    local uint* sums) {
    uint row = get_group_id(0);
    uint item = get_local_id(0);
    uint items = get_local_size(0);
    uint each = (buckets + items - 1) / items;
    uint from = min(item * each, buckets), to = min(from + each, buckets);
    uint own = 0;
    for (uint b = from; b < to; b++) own += (counts[row * buckets + b] + divisor - 1) / divisor;
    sums[item] = own;
    barrier(CLK_LOCAL_MEM_FENCE);
    uint before = 0;
    for (uint k = 0; k < item; k++) before += sums[k];
    uint place = row * row_stride + before;
    for (uint b = from; b < to; b++) {
        starts[row * buckets + b] = place;
        place += (counts[row * buckets + b] + divisor - 1) / divisor;
    }
    if (item == items - 1) totals[row] = before + own;
}

// cursors: a copy of the starts, counted up here
kernel void msm_scatter(
    global const uint* digits, volatile global uint* cursors, global uint* entries, uint count, uint buckets) {
    uint i = get_global_id(0);
    uint row = get_global_id(1);
    uint digit = digits[row * count + i];
    if (digit != 0) {
        uint place = atomic_inc(&cursors[row * buckets + (digit & 0x7FFFFFFFu) - 1]);
        entries[place] = i | (digit & 0x80000000u);
    }
}

// segments[s] = (first entry, number of entries): every bucket writes those of its own; the longest bucket goes to most
kernel void msm_segments(
    global const uint* counts, global const uint* starts, global const uint* segment_starts, global uint2* segments,
    global uint* segment_counts, volatile global uint* most, uint segment_length) {
    uint b = get_global_id(0);
    uint count = counts[b], start = starts[b], place = segment_starts[b];
    uint number = (count + segment_length - 1) / segment_length;
    segment_counts[b] = number;
    for (uint s = 0; s < number; s++) {
        uint done = s * segment_length;
        segments[place + s] = (uint2)(start + done, min(segment_length, count - done));
    }
    if (number > 1) atomic_max(most, number);
}
