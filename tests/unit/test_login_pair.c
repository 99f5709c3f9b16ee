/* Pairing: what a link gives, what is refused, and that the network hears nothing but the refusal.
 */
#include "login_fixture.h"
#include <errno.h>

static const uint8_t link_id[LINK_ID_BYTES] = {1};
static const uint8_t secret[LINK_SECRET_BYTES] = {2};

static size_t make_pair(const struct display *d, const uint8_t key[static LINK_SECRET_BYTES],
	const char *name, bool right_signature)
{
	struct wire_pair m = {.version = 1};
	uint8_t transcript[DIGEST_BYTES], covered[WIRE_PAIR_SIGNED_MAX_BYTES];
	struct digest_part parts[] = {{"camgate pair v1", 15}, {transcript, sizeof(transcript)}};
	ssize_t size;

	memcpy(m.link_id, link_id, sizeof(link_id));
	memcpy(m.sign_public, d->sign.public, sizeof(m.sign_public));
	memcpy(m.kem_public, d->kem.public, sizeof(m.kem_public));
	snprintf(m.name, sizeof(m.name), "%s", name);
	transcript_of(1, display.challenge, "https://hub.local:8443", d->id, m.nonce, transcript);
	assert_int_equal(hmac_sha256(key, LINK_SECRET_BYTES, parts, 2, m.proof), 0);
	size = (ssize_t)wire_pair_signed(&m, transcript, covered);
	assert_int_equal(
		key_sign(&d->sign, "camgate pair v1", covered, (size_t)size, m.signature), 0);
	m.signature[63] ^= !right_signature;
	size = wire_encode_pair(&m, message, sizeof(message));
	assert_true(size > 0);
	return (size_t)size;
}

static void offer(bool owner, bool with_camera)
{
	struct pairing_offer o = {.owner = owner};

	if (with_camera) {
		memcpy(o.cameras[o.cameras_count++], camera, sizeof(camera));
	}
	pairing_add(&fixture.pairing, fixture.now_us, PAIRING_LIFETIME_S, link_id, secret, &o);
}

static void a_link_pairs_with_what_it_offers(void **state)
{
	struct display phone;
	struct store_display record;
	struct wire_camera told;

	(void)state;
	display_init(&phone);
	offer(false, true);
	display_connect(&display, WEB, 10);
	display_heard(&display, message, make_pair(&phone, secret, "Phone", true));
	display_expect_welcome(&display, 1);
	display_expect_camera(&display, CAMERA_READY, &told);
	assert_int_equal(store_display_get(&fixture.files.store, phone.id, &record), 0);
	assert_string_equal(record.name, "Phone");
	assert_false(record.owner);
	assert_int_equal(store_grant_check(&fixture.files.store, phone.id, camera), 0);
	display_finish(&phone);
}

static void the_first_owner_is_granted_the_cameras_that_are_there(void **state)
{
	struct display first, second;
	struct store_camera twin;

	(void)state;
	display_init(&first);
	display_init(&second);
	camera_hello(9, IDENTITY_RUN, "", "Twin");
	assert_int_equal(store_camera_find(&fixture.files.store, "Twin", &twin), 0);
	sent_forget();
	offer(true, false);
	display_connect(&display, WEB, 10);
	display_heard(&display, message, make_pair(&first, secret, "Owner", true));
	display_expect_welcome(&display, 1);
	assert_int_equal(store_grant_check(&fixture.files.store, first.id, camera), 0);
	assert_int_not_equal(store_grant_check(&fixture.files.store, first.id, twin.id), 0);
	assert_int_equal(store_has_owner(&fixture.files.store), 1);
	/* the next owner is granted nothing by itself */
	pairing_init(&fixture.pairing);
	offer(true, false);
	display_connect(&display, WEB, 11);
	display_heard(&display, message, make_pair(&second, secret, "Owner", true));
	assert_int_not_equal(store_grant_check(&fixture.files.store, second.id, camera), 0);
	display_finish(&first);
	display_finish(&second);
}

/* Neither one that is known (test_suspend), nor a new one of the kind. */
static void a_display_of_a_suspended_kind_does_not_pair(void **state)
{
	struct display phone;
	struct store_display record;

	(void)state;
	display_init(&phone);
	offer(true, true);
	assert_int_equal(registry_suspend(fixture.registry, SUSPENDED_BROWSERS, NULL, "why", 1), 0);
	display_connect(&display, WEB, 10);
	expect_refused(make_pair(&phone, secret, "Phone", true), REFUSED_SUSPENDED);
	assert_int_equal(store_display_get(&fixture.files.store, phone.id, &record), -ENOENT);
	assert_int_equal(store_has_owner(&fixture.files.store), 0);
	display_finish(&phone);
}

static void wrong_used_expired_and_unknown_links_are_refused(void **state)
{
	static const uint8_t wrong[LINK_SECRET_BYTES] = {3};
	struct display phone;
	struct store_display record;

	(void)state;
	display_init(&phone);
	display_connect(&display, WEB, 10);
	expect_refused(make_pair(&phone, secret, "Phone", true), REFUSED_LINK_UNKNOWN);
	offer(false, false);
	display_connect(&display, WEB, 11);
	expect_refused(make_pair(&phone, wrong, "Phone", true), REFUSED_PROOF);
	display_connect(&display, WEB, 12);
	expect_refused(make_pair(&phone, secret, "Phone", false), REFUSED_SIGNATURE);
	/* the right proof spent it, although the signature was wrong */
	display_connect(&display, WEB, 13);
	expect_refused(make_pair(&phone, secret, "Phone", true), REFUSED_LINK_SPENT);
	pairing_init(&fixture.pairing);
	offer(false, false);
	fixture_pass_ms(1000ULL * PAIRING_LIFETIME_S);
	display_connect(&display, WEB, 14);
	expect_refused(make_pair(&phone, secret, "Phone", true), REFUSED_LINK_EXPIRED);
	assert_int_not_equal(store_display_get(&fixture.files.store, phone.id, &record), 0);
	display_finish(&phone);
}

static void a_name_that_was_changed_on_the_way_is_refused(void **state)
{
	enum { NAME_AT = 1 + 1 + LINK_ID_BYTES + 2 * POINT_BYTES + NONCE_BYTES + 1 };
	struct display phone;
	struct store_display record;
	size_t size;

	(void)state;
	display_init(&phone);
	offer(false, true);
	display_connect(&display, WEB, 10);
	size = make_pair(&phone, secret, "Phone", true);
	assert_int_equal(message[NAME_AT], 'P');
	message[NAME_AT] = 'X';
	expect_refused(size, REFUSED_SIGNATURE);
	assert_int_not_equal(store_display_get(&fixture.files.store, phone.id, &record), 0);
	display_finish(&phone);
}

static void a_display_cannot_pair_twice(void **state)
{
	(void)state;
	offer(true, true);
	display_connect(&display, WEB, 10);
	expect_refused(make_pair(&display, secret, "Again", true), REFUSED_PAIRED_ALREADY);
	assert_int_not_equal(store_grant_check(&fixture.files.store, display.id, camera), 0);
	assert_int_equal(store_has_owner(&fixture.files.store), 0);
}

static void a_pairing_that_cannot_be_stored_is_refused(void **state)
{
	struct display phone;
	struct ipc_message m;
	bool full = false;

	(void)state;
	store_fixture_fill(&fixture.files.store);
	/* The table may have room left in its last page. */
	for (uint64_t n = 0; n < 64 && !full; n++) {
		pairing_init(&fixture.pairing);
		offer(false, true);
		display_init(&phone);
		sent_forget();
		display_connect(&display, WEB, 20 + n);
		display_heard(&display, message, make_pair(&phone, secret, "Phone", true));
		full = sent_find(WEB, IPC_ADMIT) == NULL;
		display_finish(&phone);
	}
	assert_true(full);
	sent_take(WEB, IPC_CUT, &m);
	assert_nothing_sent(WEB, IPC_TELL);
	assert_int_equal(refused(REFUSED_STORE), 1);
}

static void another_version_is_refused_and_leaves_the_link(void **state)
{
	struct display phone;
	size_t size;

	(void)state;
	display_init(&phone);
	offer(false, true);
	display_connect(&display, WEB, 10);
	size = make_pair(&phone, secret, "Phone", true);
	message[1] = 2;
	expect_refused(size, REFUSED_VERSION);
	assert_int_equal(fixture.pairing.links[0].state, PAIRING_OPEN);
	display_finish(&phone);
}

static void a_key_that_is_no_point_of_the_curve_is_never_stored(void **state)
{
	struct store_display record;
	struct display phone;

	(void)state;
	for (uint64_t n = 0; n < 2; n++) {
		display_init(&phone);
		pairing_init(&fixture.pairing);
		offer(false, true);
		display_connect(&display, WEB, 10 + n);
		(n == 0 ? phone.kem.public : phone.sign.public)[POINT_BYTES - 1] ^= 1;
		display_id_of(phone.sign.public, phone.kem.public, phone.id);
		expect_refused(make_pair(&phone, secret, "Phone", true), REFUSED_SIGNATURE);
		assert_int_not_equal(store_display_get(&fixture.files.store, phone.id, &record), 0);
		display_finish(&phone);
	}
}

static void a_challenge_is_good_for_one_pairing(void **state)
{
	static const uint8_t session[SESSION_ID_BYTES] = {1}, nonce[NONCE_BYTES] = {2};
	uint8_t transcript[DIGEST_BYTES];
	struct pairing_offer offered;
	struct store_display record;
	struct display phone;
	struct login login;
	size_t size;

	(void)state;
	display_init(&phone);
	offer(false, true);
	assert_int_equal(login_init(&login, session, nonce, fixture.hub.public), 0);
	memcpy(display.challenge, login.challenge, sizeof(login.challenge));
	size = make_pair(&phone, secret, "Phone", true);
	assert_int_equal(login_verify_pair(&login, "https://hub.local:8443", message, size - 1,
				 &fixture.files.store, &fixture.pairing, fixture.now_us, &record,
				 &offered, transcript),
		REFUSED_MALFORMED);
	assert_int_equal(login_verify_pair(&login, "https://hub.local:8443", message, size,
				 &fixture.files.store, &fixture.pairing, fixture.now_us, &record,
				 &offered, transcript),
		REFUSED_OUT_OF_ORDER);
	assert_int_equal(fixture.pairing.links[0].state, PAIRING_OPEN);
	display_finish(&phone);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_to_log_in, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_link_pairs_with_what_it_offers),
		TEST(the_first_owner_is_granted_the_cameras_that_are_there),
		TEST(a_display_of_a_suspended_kind_does_not_pair),
		TEST(wrong_used_expired_and_unknown_links_are_refused),
		TEST(a_name_that_was_changed_on_the_way_is_refused),
		TEST(a_display_cannot_pair_twice),
		TEST(a_pairing_that_cannot_be_stored_is_refused),
		TEST(another_version_is_refused_and_leaves_the_link),
		TEST(a_key_that_is_no_point_of_the_curve_is_never_stored),
		TEST(a_challenge_is_good_for_one_pairing),
	};

	return cmocka_run_group_tests_name("login by pairing", tests, NULL, NULL);
}
