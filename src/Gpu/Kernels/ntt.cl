// Number-theoretic transforms over Fr of 2^log_size points.
//
//   bit reversal ─▶ pass ─▶ pass ─▶ …       a pass does several stages of butterflies in local memory
//
// Stage s joins values 2^s apart (decimation in time). A pass of k stages from s on works on groups of 2^k values
// that are 2^s apart; a work-group takes one, half as many work-items as values.

kernel void ntt_reverse(global const u256* input, global u256* output, uint log_size) {
    uint i = get_global_id(0);
    uint r = 0;
    for (uint b = 0; b < log_size; b++) r |= ((i >> b) & 1) << (log_size - 1 - b);
    output[r] = input[i];
}

// twiddles[k] = w^k for the transform's root w, k below half its size
kernel void ntt_pass(
    global u256* data, global const u256* twiddles, uint log_size, uint first_stage, uint stages, local u256* scratch) {
    uint item = get_local_id(0);
    uint group = get_group_id(0);
    uint half_group = 1u << (stages - 1);
    uint low = group & ((1u << first_stage) - 1);
    uint base = ((group >> first_stage) << (first_stage + stages)) | low;
    scratch[item] = data[base + (item << first_stage)];
    scratch[item + half_group] = data[base + ((item + half_group) << first_stage)];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint s = 0; s < stages; s++) {
        uint span = 1u << s;
        uint within = item & (span - 1);
        uint left = ((item >> s) << (s + 1)) | within;
        uint exponent = ((within << first_stage) | low) << (log_size - 1 - first_stage - s);
        u256 a = scratch[left];
        u256 b = fr_mul(scratch[left + span], twiddles[exponent]);
        scratch[left] = fr_add(a, b);
        scratch[left + span] = fr_sub(a, b);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    data[base + (item << first_stage)] = scratch[item];
    data[base + ((item + half_group) << first_stage)] = scratch[item + half_group];
}

// data[i] *= factor * base^i, the powers from two tables: low[i mod 256] = base^i, high[i / 256] = factor base^(256 i)
kernel void ntt_scale(global u256* data, global const u256* low, global const u256* high) {
    uint i = get_global_id(0);
    data[i] = fr_mul(data[i], fr_mul(low[i & 255], high[i >> 8]));
}

// a[i] = a[i] b[i] - c[i]
kernel void fr_product_less(global u256* a, global const u256* b, global const u256* c) {
    uint i = get_global_id(0);
    a[i] = fr_sub(fr_mul(a[i], b[i]), c[i]);
}

// values in Montgomery form to plain numbers
kernel void fr_plain(global u256* values) {
    uint i = get_global_id(0);
    values[i] = fr_from_mont(values[i]);
}

// c[i] = a[i] b[i]
kernel void fr_product(global const u256* a, global const u256* b, global u256* c) {
    uint i = get_global_id(0);
    c[i] = fr_mul(a[i], b[i]);
}
