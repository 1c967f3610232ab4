### Ce que lisent les personnes, en français.

## Sur plusieurs pages
problem = Problème
address-bar = La barre d’adresse de cette page doit afficher
asked-by = Qui demande
who-asks = Qui demande
answer-goes-to = Vous retournerez à
destination-loopback = un programme sur cet appareil
destination-app = une application sur cet appareil
in-its-words = En savoir plus
client-site = Site
client-policy = Confidentialité
client-terms = Conditions
unverified = non vérifiée
unverified-about = Aucun responsable de ce serveur n’a vérifié cette application. Son nom et son image sont ce qu’elle dit d’elle-même : fiez-vous à l’adresse ci-dessus, pas au nom.
unverified-in-short = Personne ici n’a vérifié cette application. Fiez-vous à l’adresse, pas au nom.
signed-in-as = Connecté avec le compte
demo-users = Essayez l’un de ces comptes :
expected = Attendu
found = Reçu
fix = Comment corriger

## Connexion
sign-in-title = Connexion
sign-in-first = pour continuer vers { $client }
sign-in-again = { $client } vous demande de confirmer que c’est bien vous.
sign-in-other-user = pour continuer vers { $client } avec un autre compte
username = Nom d’utilisateur
password = Mot de passe
sign-in-button = Se connecter
cancel-button = Annuler
problem-wrong-password = Le nom d’utilisateur et le mot de passe ne correspondent pas.
    .next = Vérifiez les deux, et que la touche Verr. Maj. n’est pas active.
problem-throttled = Trop de tentatives.
    .next = Pour votre sécurité, la connexion est suspendue. Attendez quelques minutes, puis réessayez.
problem-expired = Cette page est restée ouverte trop longtemps.
    .next = Rien n’est perdu. Connectez-vous à nouveau pour continuer.

## Consentement
consent-title = Autoriser { $client } à utiliser votre compte ?
not-you = Ce n’est pas vous ?
consent-list = { $client } demande à
consent-resources = Cet accès vaut pour
consent-own-doing = Ne continuez que si vous venez vous-même de commencer cette démarche dans { $client }.
consent-loopback = Ne copiez jamais l’adresse de la page suivante dans un autre site ou une messagerie.
approve-button = Autoriser
deny-button = Ne pas autoriser
scope-openid = Savoir que c’est vous
    .about = Un identifiant durable, pour vous reconnaître la prochaine fois.
scope-profile = Voir votre profil
    .about = Votre nom, votre image, votre langue et d’autres détails de ce genre.
scope-email = Voir votre adresse e-mail
    .about = Et savoir si elle a été confirmée.
scope-phone = Voir votre numéro de téléphone
    .about = Et savoir s’il a été confirmé.
scope-address = Voir votre adresse postale
    .about = Celle de votre profil.
scope-offline_access = Garder cet accès en votre absence
    .about = { $client } pourra continuer sans vous redemander, même après votre déconnexion, jusqu’à ce que vous le retiriez.
scope-unexplained = Cette application n’en a donné aucune explication.
scope-always = Toujours compris.

## Appareils
sign-in-device = pour connecter un appareil
user-code-title = Connecter un appareil
user-code-label = Code affiché par l’appareil
user-code-button = Continuer
user-code-same = C’est le même, continuer
user-code-compare = Ce code est venu avec le lien. Comparez-le à celui que votre appareil affiche, et ne continuez que s’ils sont identiques.
user-code-where = Où est le code ?
    .about = Sur l’écran du téléviseur, de l’imprimante ou du terminal que vous connectez : huit lettres. Si quelqu’un vous a envoyé un code, ne le saisissez pas.
user-code-wrong = Aucun appareil n’attend avec ce code.
    .next = Regardez à nouveau l’appareil : le code a pu expirer, et un autre être affiché.
device-title = Connecter { $client } sur votre appareil ?
device-warning = Avez-vous commencé ceci vous-même, sur un appareil devant vous ?
    .about = Si quelqu’un vous a envoyé ce code ou ce lien, par courriel, messagerie ou téléphone, c’est son appareil et non le vôtre, et cette personne entrerait dans votre compte. Répondez alors non.
device-place = L’appareil a demandé depuis
device-same-network = le même réseau que ce navigateur
device-other-network = un autre réseau que ce navigateur
device-time = À
device-age = { $minutes ->
    [0] il y a moins d’une minute
    [one] il y a { $minutes } minute
   *[other] il y a { $minutes } minutes
}
device-yes = Oui, le connecter
device-no = Non, ce n’est pas moi
device-approved-title = Votre appareil est connecté
device-approved-about = { $client } continue de lui-même dans quelques secondes.
device-approved-next = Vous pouvez fermer cette page et retourner à l’appareil.
device-denied-title = Rien n’a été connecté
device-denied-about = L’appareil a reçu un refus, et { $client } n’a rien obtenu.
device-denied-next = Si ce n’était pas vous, quelqu’un a essayé d’entrer dans votre compte : prévenez les personnes qui gèrent ce serveur. Vous pouvez fermer cette page.
device-left-title = Rien n’a été connecté
device-left-about = Vous ne vous êtes pas connecté, aucun appareil n’a donc été cherché.
device-left-next = Pour recommencer, ouvrez l’adresse que l’appareil affiche.

## Déconnexion
sign-out-title = Se déconnecter ?
sign-out-asked-by = { $client } demande à mettre fin à votre session.
sign-out-about = Il faudra vous reconnecter, ici et dans les applications qui s’appuient sur cette session.
sign-out-yes = Oui, me déconnecter
sign-out-no = Non, rester connecté
signed-out-title = Vous êtes déconnecté
signed-out-about = Votre session sur ce serveur est terminée.
signed-out-shared = Sur un ordinateur partagé, fermez aussi le navigateur.
still-in-title = Vous êtes toujours connecté
still-in-about = Rien n’a changé. Vous pouvez fermer cette page.
back-to = Retour à { $client }
back = Retour à l’application

## Échecs
you-can-do = Ce que vous pouvez faire
for-developer = Pour le développeur
request-id = Requête
go-back-to = Retourner à { $host }

form-post-title = Retour à l’application
form-post-about = La réponse va à { $host }. Appuyez sur le bouton si rien ne se passe.
form-post-send = Continuer
explained-title = Ce qui a été vérifié
explained-trace = Voir cette requête dans la trace

failure-generic = Impossible de continuer
    .what = Quelque chose ne va pas dans la demande qui vous a amené ici.
    .next = Retournez à l’application et recommencez. Si cela se reproduit, prévenez ses responsables en donnant le numéro de la requête.
    .developer = Le journal de ce serveur explique le numéro ci-dessus : la vérification qui a échoué, les deux valeurs et comment corriger.
failure-unregistered = Cette application n’est pas connue ici
    .what = Ce serveur ne peut pas répondre au lien qui vous a amené ici. Soit l’application n’est pas enregistrée, soit elle veut la réponse à une adresse qui n’est pas enregistrée pour elle.
    .next = Vous n’avez rien fait de mal et rien n’a été transmis. Retournez à l’application ; si cela se reproduit, prévenez ses responsables en donnant le numéro de la requête.
    .developer = Comparez client_id et redirect_uri avec l’enregistrement, caractère par caractère. Le journal de ce serveur nomme celui qui diffère.
failure-invalid-request = La demande est incomplète
    .what = L’application a envoyé une demande que ce serveur ne comprend pas.
    .next = Retournez à l’application et recommencez. Si cela se reproduit, prévenez ses responsables en donnant le numéro de la requête.
    .developer = Le journal de ce serveur nomme le paramètre et la règle qui s’y applique.
failure-request-uri-invalid = La demande n’est plus valable
    .what = L’application avait préparé une demande qui a expiré, qui a déjà servi ou qui n’est pas la sienne.
    .next = Retournez à l’application et recommencez.
    .developer = Une demande poussée sert une seule fois, au client qui l’a poussée, et peu de temps.
failure-expired = Cela a pris trop de temps
    .what = La page est restée ouverte plus longtemps qu’une connexion ne peut durer, ou elle est déjà terminée.
    .next = Retournez à l’application et recommencez. Rien n’est perdu.
    .developer = L’interaction est terminée. Lancez une nouvelle demande d’autorisation ; ne gardez pas de liens vers ces pages.
failure-wrong-browser = Cette connexion a commencé dans un autre navigateur
    .what = Pour votre sécurité, une connexion se termine là où elle a commencé. Ce n’est pas dans ce navigateur, ou bien il refuse les cookies.
    .next = Revenez au navigateur de départ, ou recommencez dans celui-ci. Si quelqu’un vous a envoyé le lien de cette page, fermez-la.
    .developer = Le cookie de l’interaction manque ou appartient à une autre. Les liens vers ces pages ne se partagent pas.
failure-foreign-form = La réponse vient d’un autre site
    .what = Ce serveur n’accepte que les réponses de ses propres pages.
    .next = Retournez à l’application et recommencez. Si un autre site vous a amené ici, ne lui faites pas confiance.
    .developer = Le jeton CSRF ou l’en-tête Origin du formulaire ne correspond pas. Un proxy qui réécrit Origin ou retire les cookies produit le même effet.
failure-device-not-waiting = L’appareil n’attend plus
    .what = Sa demande a reçu une réponse ou a expiré, ou son code a été saisi dans un autre navigateur.
    .next = Recommencez sur l’appareil. Si ce n’est pas vous qui l’avez commencé, il n’y a rien à faire.
    .developer = Un appareil reçoit une seule réponse, pendant sa durée de vie, de la session où son code a été saisi.
failure-framed = Cette page ne fonctionne pas dans une autre
    .what = Pour votre sécurité, on ne se connecte que dans une fenêtre à part.
    .next = Ouvrez l’application dans sa propre fenêtre et recommencez.
    .developer = Redirigez la fenêtre entière ; ne placez pas le point d’autorisation dans un cadre.
failure-throttled = Trop de tentatives
    .what = Trop de requêtes sont venues de chez vous en peu de temps.
    .next = Attendez quelques minutes, puis réessayez.
    .developer = La limite vaut par utilisateur et par adresse. Cherchez une boucle dans l’application.
failure-not-allowed = Vous n’avez pas accès
    .what = Les responsables de ce serveur n’ont pas ouvert cette application à votre compte.
    .next = Demandez-leur l’accès en donnant le numéro de la requête, ou prenez un autre compte.
    .developer = Une règle de ce serveur a refusé l’utilisateur. Le journal la nomme.
failure-sign-out = Déconnexion impossible depuis là-bas
    .what = L’application a demandé une déconnexion qui ne correspond pas à votre session, ou un retour à une adresse qui n’est pas enregistrée pour elle.
    .next = Déconnectez-vous dans l’application elle-même, ou fermez le navigateur.
    .developer = Comparez id_token_hint, client_id et post_logout_redirect_uri avec l’enregistrement.
failure-not-found = Il n’y a rien ici
    .what = Cette adresse ne correspond à aucune page de ce serveur.
    .next = Vérifiez l’adresse, ou retournez d’où vous venez.
    .developer = Les adresses des points d’accès figurent dans le document de découverte.
failure-unavailable = Indisponible pour le moment
    .what = Ce serveur ne parvient pas à savoir ce qu’il lui faut pour continuer sans risque.
    .next = Réessayez dans une minute.
    .developer = C’est une panne, pas un refus : le journal de ce serveur en donne la cause sous le numéro de la requête.
failure-server-error = Quelque chose s’est cassé chez nous
    .what = Ce n’est pas votre faute, et rien n’a été transmis à l’application.
    .next = Réessayez. Si cela se reproduit, prévenez les responsables de ce serveur en donnant le numéro de la requête.
    .developer = Le journal de ce serveur en donne la cause sous le numéro de la requête.

## La page d’accueil
home-title = En marche
home-running = Jeton est en marche.
home-about = Ce serveur connecte les personnes et délivre des jetons, selon OAuth 2 et OpenID Connect. Les applications y envoient leurs utilisateurs ; il n’y a rien à faire sur cette page.
home-issuer = Émetteur
home-dev = Serveur de développement : comptes connus, secrets connus, rien n’est conservé. Pas pour la production.
home-try = Essayer
home-try-about = Chaque commande fonctionne telle quelle.
home-trace = Voyez ensuite dans la trace ce qui s’est passé.
home-start = Se connecter comme un utilisateur, avec { $client }
home-endpoints = Points d’accès
home-discovery = Découverte
home-discovery-about = La plupart des bibliothèques n’ont besoin que de l’émetteur et trouvent le reste ici.
endpoint-authorization_endpoint = Connecter les personnes
endpoint-token_endpoint = Obtenir des jetons
endpoint-introspection_endpoint = Interroger un jeton
endpoint-revocation_endpoint = Reprendre un jeton
endpoint-userinfo_endpoint = Connaître l’utilisateur
endpoint-jwks_uri = Clés publiques
endpoint-pushed_authorization_request_endpoint = Pousser une demande
endpoint-device_authorization_endpoint = Commencer sur un appareil
endpoint-registration_endpoint = Enregistrer un client
endpoint-end_session_endpoint = Déconnecter les personnes

## La trace
trace-title = Trace
trace-about = Chaque requête vue par ce serveur, ce qu’il a vérifié, et la règle derrière chaque vérification.
trace-nav = Pages
home-link = Accueil
trace-all = Toutes les requêtes
trace-refresh = Actualiser
trace-live = En direct
trace-empty = Aucune requête pour l’instant. Lancez une connexion ou une commande de la page d’accueil, et elle se dessinera ici.
trace-dev-only = Seul un serveur de développement dessine cette page. Les secrets y sont abrégés.
trace-sent = Requête
trace-answered = Réponse
trace-before = La requête précédente
trace-after = La requête suivante
lane-browser = Navigateur
lane-client = Client
lane-api = API
checks-passed = { $count ->
    [one] { $count } vérification réussie
   *[other] { $count } vérifications réussies
}
outcome-passed = { $count ->
    [0] Répondu.
    [one] { $count } vérification réussie.
   *[other] { $count } vérifications réussies.
}
outcome-refused = { $count ->
    [0] Refusée à la première vérification.
    [one] Refusée, après { $count } vérification réussie.
   *[other] Refusée, après { $count } vérifications réussies.
}
outcome-fault = Non tranchée : quelque chose n’a pas pu être établi.

# A rule, where error_uri leads
rule-one-of = L’une de ces conditions n’était pas remplie :
rule-which = Le journal du serveur indique laquelle, sous le numéro de la requête ; la trace d’un serveur de développement montre les deux valeurs.

# The link for an administrator
admin-link-title = Choisissez un mot de passe
admin-link-lead = pour l’administrateur { $username }
admin-link-password = Nouveau mot de passe
admin-link-too-short = Un mot de passe compte au moins 12 caractères.
admin-link-button = L’enregistrer et se connecter
admin-link-once = Ce lien ne sert qu’une fois
    .about = Il a été créé sur le serveur. Si vous ne l’attendiez pas, fermez cette page et prévenez la personne qui gère le serveur.
