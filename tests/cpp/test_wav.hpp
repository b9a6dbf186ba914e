// The WAV reader on whole, cut and damaged files: every result is right or none, and no byte is out of
// bounds.
#pragma once

void test_wav();
