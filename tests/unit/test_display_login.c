#include "fake_hub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fake_hub hub;

static int set_up_paired(void **state)
{
	(void)state;
	fake_hub_init(&hub, true);
	return 0;
}

static int set_up_unpaired(void **state)
{
	(void)state;
	fake_hub_init(&hub, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_hub_finish(&hub);
	return 0;
}

static void a_link_is_answered_with_a_proof_that_only_its_owner_can_make(void **state)
{
	(void)state;
	assert_int_equal(fake_send_challenge(&hub), 0);
	assert_int_equal(hub.sent_count, 1);
	struct wire_pair pair;
	assert_int_equal(wire_parse_pair(fake_last_sent(&hub), hub.sent[0].size, &pair), 0);
	assert_memory_equal(pair.link_id, hub.link.id, LINK_ID_BYTES);
	assert_string_equal(pair.name, "Kitchen");
	transcript_of(1, hub.challenge, FAKE_ORIGIN, hub.keys.id, pair.nonce, hub.transcript);
	const struct digest_part parts[] = {
		{"camgate pair v1", 15}, {hub.transcript, sizeof(hub.transcript)}};
	uint8_t proof[DIGEST_BYTES], covered[2 * DIGEST_BYTES + sizeof("Kitchen")];
	assert_int_equal(hmac_sha256(hub.link.secret, LINK_SECRET_BYTES, parts, 2, proof), 0);
	assert_memory_equal(proof, pair.proof, sizeof(proof));
	memcpy(covered, hub.transcript, DIGEST_BYTES);
	memcpy(covered + DIGEST_BYTES, proof, DIGEST_BYTES);
	memcpy(covered + sizeof(covered) - 8, "\7Kitchen", 8);
	assert_int_equal(key_verify(pair.sign_public, "camgate pair v1", covered, sizeof(covered),
				 pair.signature),
		0);
	assert_int_equal(fake_send_welcome(&hub, 0), 0);
	assert_int_equal(hub.welcomes, 1);
}

static void a_paired_display_logs_in_on_the_next_connection(void **state)
{
	a_link_is_answered_with_a_proof_that_only_its_owner_can_make(state);
	display_restart(hub.display);
	hub.sent_count = 0;
	fake_open(&hub);
	assert_int_equal(hub.welcomes, 2);
	assert_int_equal(hub.sent[0].bytes[0], WIRE_LOGIN);
}

static void a_login_is_signed_over_the_transcript(void **state)
{
	(void)state;
	fake_open(&hub);
	struct wire_login login;
	assert_int_equal(wire_parse_login(hub.sent[0].bytes, hub.sent[0].size, &login), 0);
	assert_memory_equal(login.display, hub.keys.id, DISPLAY_ID_BYTES);
	assert_int_equal(key_verify(hub.keys.sign.public, "camgate login v1", hub.transcript,
				 DIGEST_BYTES, login.signature),
		0);
	assert_true(display_welcomed(hub.display));
	assert_non_null(display_camera(hub.display, "Door"));
}

static void a_hub_that_is_not_the_pinned_one_hears_nothing(void **state)
{
	(void)state;
	key_pair_finish(&hub.identity);
	assert_int_equal(key_pair_generate(&hub.identity), 0);
	assert_int_equal(fake_send_challenge(&hub), -EKEYREJECTED);
	assert_int_equal(hub.sent_count, 0);
}

static void a_hub_of_another_version_is_refused(void **state)
{
	(void)state;
	uint8_t challenge[WIRE_CHALLENGE_BYTES];
	assert_int_equal(fake_send_challenge(&hub), 0);
	memcpy(challenge, hub.challenge, sizeof(challenge));
	challenge[1] = 2;
	challenge[2] = 3;
	display_restart(hub.display);
	assert_int_equal(fake_feed(&hub, challenge, sizeof(challenge)), -EPROTONOSUPPORT);
}

static void nothing_but_the_challenge_is_taken_first(void **state)
{
	(void)state;
	const uint8_t abort_message[] = {WIRE_ABORT, 0, 0, 1, 0, 0, 0, 1};
	assert_int_equal(fake_feed(&hub, abort_message, sizeof(abort_message)), -EBADMSG);
	assert_int_equal(fake_send_welcome(&hub, 0), -EBADMSG);
	assert_int_equal(fake_feed(&hub, abort_message, 0), -EBADMSG);
}

static void a_second_challenge_is_fatal(void **state)
{
	(void)state;
	assert_int_equal(fake_send_challenge(&hub), 0);
	assert_int_equal(fake_send_challenge(&hub), -EBADMSG);
}

static void a_welcome_for_another_transcript_is_fatal(void **state)
{
	(void)state;
	assert_int_equal(fake_send_challenge(&hub), 0);
	assert_int_equal(fake_send_welcome(&hub, 0), -EBADMSG);
	assert_int_equal(hub.welcomes, 0);
}

static void cameras_before_the_welcome_are_fatal(void **state)
{
	(void)state;
	assert_int_equal(fake_send_challenge(&hub), 0);
	struct wire_camera c = fake_camera(&hub);
	assert_int_equal(fake_send_camera(&hub, &c), -EBADMSG);
	assert_int_equal(hub.cameras, 0);
}

static void a_changed_camera_name_is_fatal(void **state)
{
	(void)state;
	fake_open(&hub);
	struct wire_camera c = fake_camera(&hub);
	uint8_t body[256], message[WIRE_HUB_MESSAGE_MAX_BYTES];
	size_t size = fake_sign(
		&hub, HUB_CAMERA, body, wire_encode_camera(&c, body, sizeof(body)), message);
	message[size - SIGNATURE_BYTES - 1] ^= 1; /* the name's last letter */
	assert_int_equal(fake_feed(&hub, message, size), -EBADMSG);
	assert_non_null(display_camera(hub.display, "Door"));
	assert_int_equal(hub.cameras, 1);
}

static void a_hub_message_out_of_turn_is_fatal(void **state)
{
	(void)state;
	for (int step = -1; step <= 1; step += 2) {
		fake_open(&hub);
		hub.counter = (uint32_t)((int)hub.counter + step);
		struct wire_camera c = fake_camera(&hub);
		assert_int_equal(fake_send_camera(&hub, &c), -EBADMSG);
		display_restart(hub.display);
	}
}

static void a_hub_message_of_another_session_is_fatal(void **state)
{
	(void)state;
	fake_open(&hub);
	hub.session[3] ^= 1;
	struct wire_camera c = fake_camera(&hub);
	assert_int_equal(fake_send_camera(&hub, &c), -EBADMSG);
}

static void keys_come_back_from_their_file_which_only_the_user_can_read(void **state)
{
	(void)state;
	char path[] = "/tmp/camgate-keys-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(display_keys_save(path, &hub.keys), 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	struct display_keys loaded;
	assert_int_equal(display_keys_load(path, &loaded), 0);
	assert_memory_equal(loaded.id, hub.keys.id, DISPLAY_ID_BYTES);
	assert_memory_equal(loaded.hub, hub.keys.hub, FINGERPRINT_BYTES);
	display_keys_finish(&loaded);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(display_keys_load(path, &loaded), -EBADMSG);
	unlink(path);
	assert_int_equal(display_keys_load(path, &loaded), -ENOENT);
}

#define PAIRED(f) cmocka_unit_test_setup_teardown(f, set_up_paired, tear_down)
#define UNPAIRED(f) cmocka_unit_test_setup_teardown(f, set_up_unpaired, tear_down)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		UNPAIRED(a_link_is_answered_with_a_proof_that_only_its_owner_can_make),
		UNPAIRED(a_paired_display_logs_in_on_the_next_connection),
		PAIRED(a_login_is_signed_over_the_transcript),
		PAIRED(a_hub_that_is_not_the_pinned_one_hears_nothing),
		PAIRED(a_hub_of_another_version_is_refused),
		PAIRED(nothing_but_the_challenge_is_taken_first),
		PAIRED(a_second_challenge_is_fatal),
		PAIRED(a_welcome_for_another_transcript_is_fatal),
		PAIRED(cameras_before_the_welcome_are_fatal),
		PAIRED(a_changed_camera_name_is_fatal),
		PAIRED(a_hub_message_out_of_turn_is_fatal),
		PAIRED(a_hub_message_of_another_session_is_fatal),
		PAIRED(keys_come_back_from_their_file_which_only_the_user_can_read),
	};
	return cmocka_run_group_tests_name("display_login", tests, NULL, NULL);
}
