// Keccak-256 and SHA-256 of many inputs, one a work-item.

constant ulong KECCAK_ROUNDS[24] = {
    0x0000000000000001UL, 0x0000000000008082UL, 0x800000000000808AUL, 0x8000000080008000UL, 0x000000000000808BUL,
    0x0000000080000001UL, 0x8000000080008081UL, 0x8000000000008009UL, 0x000000000000008AUL, 0x0000000000000088UL,
    0x0000000080008009UL, 0x000000008000000AUL, 0x000000008000808BUL, 0x800000000000008BUL, 0x8000000000008089UL,
    0x8000000000008003UL, 0x8000000000008002UL, 0x8000000000000080UL, 0x000000000000800AUL, 0x800000008000000AUL,
    0x8000000080008081UL, 0x8000000000008080UL, 0x0000000080000001UL, 0x8000000080008008UL };

constant uint KECCAK_OFFSETS[25] = {
    0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14 };

// FIPS 202, section 3.2: theta, rho and pi, chi, iota.
void keccak_permute(ulong* s) {
    for (int round = 0; round < 24; round++) {
        ulong c[5], b[25];
        UNROLL
        for (int x = 0; x < 5; x++) c[x] = s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20];
        UNROLL
        for (int x = 0; x < 5; x++) {
            ulong d = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1UL);
            UNROLL
            for (int y = 0; y < 5; y++)
                b[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(s[x + 5 * y] ^ d, (ulong)KECCAK_OFFSETS[x + 5 * y]);
        }
        UNROLL
        for (int y = 0; y < 25; y += 5)
            UNROLL
            for (int x = 0; x < 5; x++) s[y + x] = b[y + x] ^ (~b[y + (x + 1) % 5] & b[y + (x + 2) % 5]);
        s[0] ^= KECCAK_ROUNDS[round];
    }
}

// slices: offset and length of each input, in bytes
kernel void keccak256_many(global const uchar* inputs, global const uint2* slices, global ulong* digests) {
    uint item = get_global_id(0);
    global const uchar* input = inputs + slices[item].x;
    uint length = slices[item].y;
    ulong s[25];
    UNROLL
    for (int i = 0; i < 25; i++) s[i] = 0;
    for (uint done = 0;; done += 136) {
        UNROLL
        for (uint w = 0; w < 17; w++) {
            ulong word = 0;
            uint at = done + 8 * w;
            if (at + 8 <= length) {
                for (uint k = 0; k < 8; k++) word |= (ulong)input[at + k] << (8 * k);
            } else {
                for (uint k = 0; at + k < length; k++) word |= (ulong)input[at + k] << (8 * k);
                if (length >= at && length < at + 8) word |= 1UL << (8 * (length - at));
            }
            s[w] ^= word;
        }
        if (length - done < 136) break;
        keccak_permute(s);
    }
    s[16] ^= 0x8000000000000000UL;
    keccak_permute(s);
    for (uint w = 0; w < 4; w++) digests[4 * item + w] = s[w];
}

// a level of a Merkle tree: nodes[item] = keccak256(children[2 item] ‖ children[2 item + 1])
kernel void keccak256_level(global const ulong* children, global ulong* nodes) {
    uint item = get_global_id(0);
    ulong s[25];
    UNROLL
    for (int i = 0; i < 25; i++) s[i] = 0;
    UNROLL
    for (int i = 0; i < 8; i++) s[i] = children[8 * item + i];
    s[8] = 1;
    s[16] = 0x8000000000000000UL;
    keccak_permute(s);
    for (uint w = 0; w < 4; w++) nodes[4 * item + w] = s[w];
}

constant uint SHA_ROUNDS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

constant uint SHA_START[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

uint sha_right(uint x, uint n) { return rotate(x, 32u - n); }

// FIPS 180-4, section 6.2.2; w is used up.
void sha_block(uint* h, uint* w) {
    uint a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
    for (int i = 0; i < 64; i++) {
        if (i >= 16) {
            uint w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];
            uint s0 = sha_right(w15, 7) ^ sha_right(w15, 18) ^ (w15 >> 3);
            uint s1 = sha_right(w2, 17) ^ sha_right(w2, 19) ^ (w2 >> 10);
            w[i & 15] += s0 + w[(i + 9) & 15] + s1;
        }
        uint t1 = k + (sha_right(e, 6) ^ sha_right(e, 11) ^ sha_right(e, 25)) + ((e & f) ^ (~e & g))
            + SHA_ROUNDS[i] + w[i & 15];
        uint t2 = (sha_right(a, 2) ^ sha_right(a, 13) ^ sha_right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        k = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += k;
}

uint sha_swap(uint x) { return (rotate(x, 8u) & 0x00FF00FFu) | (rotate(x, 24u) & 0xFF00FF00u); }

kernel void sha256_many(global const uchar* inputs, global const uint2* slices, global uint* digests) {
    uint item = get_global_id(0);
    global const uchar* input = inputs + slices[item].x;
    uint length = slices[item].y;
    uint h[8], w[16];
    for (int i = 0; i < 8; i++) h[i] = SHA_START[i];
    uint blocks = (length + 9 + 63) / 64;
    for (uint block = 0; block < blocks; block++) {
        for (uint i = 0; i < 16; i++) {
            uint word = 0;
            for (uint k = 0; k < 4; k++) {
                uint at = 64 * block + 4 * i + k;
                uint value = at < length ? input[at] : (at == length ? 0x80u : 0u);
                word = (word << 8) | value;
            }
            w[i] = word;
        }
        if (block == blocks - 1) {
            w[14] = length >> 29;
            w[15] = length << 3;
        }
        sha_block(h, w);
    }
    for (int i = 0; i < 8; i++) digests[8 * item + i] = sha_swap(h[i]);
}

kernel void sha256_level(global const uint* children, global uint* nodes) {
    uint item = get_global_id(0);
    uint h[8], w[16];
    for (int i = 0; i < 8; i++) h[i] = SHA_START[i];
    for (int i = 0; i < 16; i++) w[i] = sha_swap(children[16 * item + i]);
    sha_block(h, w);
    for (int i = 0; i < 16; i++) w[i] = 0;
    w[0] = 0x80000000u;
    w[15] = 512;
    sha_block(h, w);
    for (int i = 0; i < 8; i++) nodes[8 * item + i] = sha_swap(h[i]);
}
